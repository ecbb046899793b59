import { applyAll, type Owner } from './apply';
import type { Base } from './base';
import type { Pending, Task } from './types';

/**
 * What shows: the base with the pending changes on top. Only what was touched is made anew, and a task that comes out
 * as it was stays the same object, so that its row is not drawn again.
 */
export class View {
  readonly #base: Base;
  readonly #owner: Owner;
  #pending: readonly Pending[] = [];
  #tasks: ReadonlyMap<string, Task> = new Map();

  constructor(base: Base, owner: Owner) {
    this.#base = base;
    this.#owner = owner;
  }

  /** The tasks by id. The map is never changed; where nothing changes, it stays the same. */
  get tasks(): ReadonlyMap<string, Task> {
    return this.#tasks;
  }

  /** Takes in the queue as it is now, and the ids whose base has changed since. */
  refresh(pending: readonly Pending[], touched: Iterable<string>): void {
    const ids = new Set(touched);
    if (pending !== this.#pending) {
      for (const { change } of this.#pending) ids.add(change.id);
      for (const { change } of pending) ids.add(change.id);
      this.#pending = pending;
    }
    if (ids.size === 0) return;
    const queues = byTask(pending);
    let next: Map<string, Task> | undefined;
    for (const id of ids) {
      const before = this.#tasks.get(id);
      const after = applyAll(this.#base.get(id), queues.get(id) ?? [], this.#owner);
      if (before === after || (before && after && same(before, after))) continue;
      next ??= new Map(this.#tasks);
      if (after) next.set(id, after);
      else next.delete(id);
    }
    if (next) this.#tasks = next;
  }
}

function byTask(pending: readonly Pending[]): Map<string, Pending[]> {
  const queues = new Map<string, Pending[]>();
  for (const one of pending) {
    const queue = queues.get(one.change.id);
    if (queue) queue.push(one);
    else queues.set(one.change.id, [one]);
  }
  return queues;
}

/** Whether two tasks say the same; their fields are texts, numbers, null and lists of those. */
function same(a: Task, b: Task): boolean {
  const fields = Object.keys(a) as (keyof Task)[];
  return fields.length === Object.keys(b).length && fields.every((field) => sameValue(a[field], b[field]));
}

function sameValue(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((x, i) => x === b[i]);
  return a === b;
}
