/**
 * Filtering, sorting and search on the replica, with the server's semantics (task/query.go, task/index_find.go):
 * what GET /api/tasks answers, without asking. Pure.
 *
 * [Task]: T061
 */
import { dueKey, dueStart, noDue } from './due';
import { finder, fold } from './fold';
import type { Task } from './types';

export type SortKey = 'created_at' | 'updated_at' | 'due_date' | 'priority' | 'title';
export type Priority = Task['priority'];

/** What to find. The empty query is everything not deleted, newest first. */
export interface Query {
  /** One text, looked for in titles and descriptions; upper and lower case are the same. */
  search?: string;
  /** Any of these. */
  priorities?: readonly Priority[];
  /** Any of these; absent is both. */
  statuses?: readonly ('pending' | 'completed')[];
  /** All of these, whatever their case. */
  tags?: readonly string[];
  /** Strictly before and after; a date stands for its whole day. Without a due date, neither finds a task. */
  dueBefore?: string;
  dueAfter?: string;
  sortBy?: SortKey;
  /** Absent: due_date and title ascend, the others descend. */
  descending?: boolean;
}

/** The tasks that match, in order. `zone` is the user's time zone. */
export function find(tasks: Iterable<Task>, query: Query, zone: string): Task[] {
  const matches = matcher(query, zone);
  const found: Task[] = [];
  for (const task of tasks) if (matches(task)) found.push(task);
  return sort(found, query.sortBy ?? 'created_at', query.descending, zone);
}

/** The test of one task against a query. */
export function matcher(query: Query, zone: string): (task: Task) => boolean {
  const tests: ((t: Task) => boolean)[] = [];
  const { statuses, priorities, dueAfter, dueBefore } = query;
  if (statuses?.length) tests.push((t) => (statuses as readonly string[]).includes(t.status));
  if (priorities?.length) tests.push((t) => priorities.includes(t.priority));
  for (const tag of query.tags ?? []) {
    const wanted = fold(tag);
    tests.push((t) => t.tags.some((x) => fold(x) === wanted));
  }
  if (dueAfter !== undefined || dueBefore !== undefined) {
    const after = dueAfter === undefined ? -noDue : dueKey(dueAfter, zone);
    const before = dueBefore === undefined ? noDue : dueStart(dueBefore, zone);
    tests.push((t) => {
      const due = dueKey(t.due_date, zone);
      return after < due && due < before;
    });
  }
  const needle = query.search?.trim();
  if (needle) {
    const has = finder(needle);
    tests.push((t) => has(t.title) || has(t.description));
  }
  return (task) => tests.every((test) => test(task));
}

const priorityRank: Record<Priority, number> = { low: 0, medium: 1, high: 2 };

/** A task with what it is sorted by. */
interface Keyed {
  task: Task;
  key: number | string;
  created: number;
  /** Its place the last time, -1 before that. */
  place: number;
}

function sort(tasks: Task[], by: SortKey, descending: boolean | undefined, zone: string): Task[] {
  const desc = descending ?? (by !== 'due_date' && by !== 'title');
  const name = `${by} ${desc} ${zone}`;
  let order = orders.get(name);
  if (!order) orders.set(name, (order = new Order(by, desc, zone)));
  return order.sort(tasks);
}

const orders = new Map<string, Order>();

/**
 * One way to sort, which remembers the keys of tasks and where they stood: after a change nearly all of them stand
 * there again, and what is nearly sorted is sorted in one pass. A task that changes is another object, and forgotten.
 */
class Order {
  readonly #by: SortKey;
  readonly #descending: boolean;
  readonly #zone: string;
  readonly #known = new WeakMap<Task, Keyed>();
  /** How many places have been given out. */
  #places = 0;

  constructor(by: SortKey, descending: boolean, zone: string) {
    this.#by = by;
    this.#descending = descending;
    this.#zone = zone;
  }

  sort(tasks: readonly Task[]): Task[] {
    const sorted = this.#asBefore(tasks).sort((a, b) => compare(a, b, this.#descending));
    this.#places = Math.max(this.#places, sorted.length);
    return sorted.map((keyed, i) => {
      keyed.place = i;
      return keyed.task;
    });
  }

  /** Each in its last place; at the end those that had none, or whose place is taken. */
  #asBefore(tasks: readonly Task[]): Keyed[] {
    const placed = new Array<Keyed | undefined>(this.#places).fill(undefined);
    const others: Keyed[] = [];
    for (const task of tasks) {
      const keyed = this.#keyed(task);
      if (keyed.place < 0 || placed[keyed.place]) others.push(keyed);
      else placed[keyed.place] = keyed;
    }
    return placed.filter((keyed) => keyed !== undefined).concat(others);
  }

  #keyed(task: Task): Keyed {
    let keyed = this.#known.get(task);
    if (!keyed) {
      const key = keyOf(task, this.#by, this.#zone);
      this.#known.set(task, (keyed = { task, key, created: Date.parse(task.created_at), place: -1 }));
    }
    return keyed;
  }
}

function keyOf(task: Task, by: SortKey, zone: string): number | string {
  switch (by) {
    case 'due_date':
      return dueKey(task.due_date, zone);
    case 'priority':
      return priorityRank[task.priority];
    case 'title':
      return fold(task.title);
    case 'created_at':
    case 'updated_at':
      return Date.parse(task[by]);
  }
}

/** Equal keys are in the order of creation, then of id, all reversed when descending; no due date is last in both. */
function compare(a: Keyed, b: Keyed, descending: boolean): number {
  if ((a.key === noDue) !== (b.key === noDue)) return a.key === noDue ? 1 : -1;
  const order =
    compareKeys(a.key, b.key) || compareKeys(a.created, b.created) || compareKeys(a.task.id, b.task.id);
  return descending ? -order : order;
}

function compareKeys(a: number | string, b: number | string): number {
  if (a === b) return 0;
  if (typeof a === 'string' && typeof b === 'string') return byCodePoints(a, b);
  return a < b ? -1 : 1;
}

/** JavaScript compares UTF-16 units, which puts emoji before some letters; the server compares code points. */
function byCodePoints(a: string, b: string): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const surrogates = Number(x >= 0xd800 && x < 0xe000) - Number(y >= 0xd800 && y < 0xe000);
    return surrogates || x - y;
  }
  return a.length - b.length;
}
