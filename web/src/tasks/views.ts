import { addDays, dayAt, dayOf, isOverdue } from '../replica/due';
import { fold } from '../replica/fold';
import { find, matcher, type Query } from '../replica/query';
import type { Task } from '../replica/types';
import { formatDay, t } from '../text';

export const views = ['today', 'upcoming', 'all', 'done'] as const;
export type View = (typeof views)[number];

export function isView(name: string): name is View {
  return (views as readonly string[]).includes(name);
}

/** Tasks under one heading; a list sorted by something other than its days is one group without. */
export interface Group {
  key: string;
  heading: string | undefined;
  late: boolean;
  /** Whether the heading is the day on which its tasks are due, so that they need not say it. */
  saysDue: boolean;
  tasks: Task[];
}

/** What a view shows of the tasks that a filter leaves, grouped by day. Pure. */
export function listOf(tasks: Iterable<Task>, view: View, filter: Query, now: number, zone: string): Group[] {
  const today = dayAt(now, zone);
  const found = find(
    only(tasks, belongsTo(view, filter, today, zone)),
    { sortBy: 'due_date', ...filter },
    zone,
  );
  if (filter.sortBy && filter.sortBy !== 'due_date')
    return found.length > 0
      ? [{ key: 'all', heading: undefined, late: false, saysDue: false, tasks: found }]
      : [];
  if (filter.sortBy || view !== 'done') return byDueDay(found, today, now, zone);
  found.sort((a, b) => (b.completed_at ?? '').localeCompare(a.completed_at ?? ''));
  return byDayDone(found, today, zone);
}

/** Tells of a task whether a view shows it, with a filter. */
export function shows(view: View, filter: Query, now: number, zone: string): (task: Task) => boolean {
  const belongs = belongsTo(view, filter, dayAt(now, zone), zone);
  const matches = matcher(filter, zone);
  return (task) => belongs(task) && matches(task);
}

/** What a view has. Its days and the filter's both hold; of the status the filter has the last word. */
function belongsTo(view: View, filter: Query, today: string, zone: string): (task: Task) => boolean {
  const statuses = filter.statuses ?? [view === 'done' ? ('completed' as const) : ('pending' as const)];
  return matcher({ statuses, ...daysOf(view, today) }, zone);
}

function* only<T>(all: Iterable<T>, test: (one: T) => boolean): Generator<T> {
  for (const one of all) if (test(one)) yield one;
}

function daysOf(view: View, today: string): Query {
  if (view === 'today') return { dueBefore: addDays(today, 1) };
  return view === 'upcoming' ? { dueAfter: today } : {};
}

function byDueDay(tasks: readonly Task[], today: string, now: number, zone: string): Group[] {
  const keyOf = (task: Task) => {
    if (task.due_date === null) return 'none';
    return isOverdue(task, now, zone) ? 'overdue' : dayOf(task.due_date, zone);
  };
  return grouped(tasks, keyOf, (key) => {
    if (key === 'overdue') return { heading: t.list.overdue, late: true, saysDue: false };
    return { heading: key === 'none' ? t.list.noDate : formatDay(key, today), late: false, saysDue: true };
  });
}

function byDayDone(tasks: readonly Task[], today: string, zone: string): Group[] {
  const keyOf = (task: Task) => dayAt(Date.parse(task.completed_at ?? task.updated_at), zone);
  return grouped(tasks, keyOf, (day) => ({ heading: formatDay(day, today), late: false, saysDue: false }));
}

function grouped(
  tasks: readonly Task[],
  keyOf: (task: Task) => string,
  headOf: (key: string) => Pick<Group, 'heading' | 'late' | 'saysDue'>,
): Group[] {
  const groups = new Map<string, Group>();
  for (const task of tasks) {
    const key = keyOf(task);
    const group = groups.get(key);
    if (group) group.tasks.push(task);
    else groups.set(key, { key, ...headOf(key), tasks: [task] });
  }
  return [...groups.values()];
}

/** How many are pending in each view and under each tag. */
export interface Counts {
  views: Record<Exclude<View, 'done'>, number>;
  overdue: number;
  /** By number, the most used first. */
  tags: [tag: string, n: number][];
}

export function countsOf(tasks: Iterable<Task>, now: number, zone: string): Counts {
  const today = dayAt(now, zone);
  const counts: Counts = { views: { today: 0, upcoming: 0, all: 0 }, overdue: 0, tags: [] };
  const tags = new Map<string, { tag: string; n: number }>();
  const spelled = new Map<string, { tag: string; n: number }>(); // folding is dear, and spellings are few
  for (const task of tasks) {
    if (task.status !== 'pending') continue;
    counts.views.all++;
    if (task.due_date !== null) counts.views[dayOf(task.due_date, zone) <= today ? 'today' : 'upcoming']++;
    if (isOverdue(task, now, zone)) counts.overdue++;
    for (const tag of task.tags) {
      let held = spelled.get(tag);
      if (!held) {
        const key = fold(tag);
        held = tags.get(key) ?? { tag, n: 0 };
        tags.set(key, held);
        spelled.set(tag, held);
      }
      held.n++;
    }
  }
  counts.tags = [...tags.values()].map(({ tag, n }): [string, number] => [tag, n]);
  counts.tags.sort(([a, n], [b, m]) => m - n || a.localeCompare(b));
  return counts;
}
