/**
 * What can be done to one task or many, as the changes it takes; a task that is so already takes none. Pure.
 */
import { dueOf, partsOf } from '../panel/dueDate';
import { fold } from '../replica/fold';
import type { Change, Task } from '../replica/types';

/** Completes the tasks; where all of them are completed, reopens them. */
export function completion(tasks: readonly Task[]): Change[] {
  const pending = tasks.filter((t) => t.status === 'pending');
  if (pending.length > 0) return pending.map(({ id }) => ({ kind: 'complete', id }));
  return tasks.map(({ id }) => ({ kind: 'reopen', id }));
}

export function deletion(tasks: readonly Task[]): Change[] {
  return tasks.map(({ id }) => ({ kind: 'delete', id }));
}

export function prioritised(tasks: readonly Task[], priority: Task['priority']): Change[] {
  return tasks
    .filter((task) => task.priority !== priority)
    .map(({ id }) => ({ kind: 'update', id, patch: { priority } }));
}

/** Moves tasks to a day, each at the time it had; undefined takes the due date away. */
export function moved(tasks: readonly Task[], day: string | undefined, zone: string): Change[] {
  return tasks.flatMap(({ id, due_date }): Change[] => {
    const next = day === undefined ? null : onDay(due_date, day, zone);
    return next === due_date ? [] : [{ kind: 'update', id, patch: { due_date: next } }];
  });
}

/** A due date on another day, in the form it had: the same time on the user's clock. */
export function onDay(due: string | null, day: string, zone: string): string {
  return due === null ? day : dueOf({ ...partsOf(due, zone), day }, zone);
}

/** Adds and removes tags. */
export function tagged(tasks: readonly Task[], add: readonly string[], remove: readonly string[]): Change[] {
  return tasks.flatMap(({ id, tags }): Change[] => {
    const has = (tag: string) => tags.some((held) => fold(held) === fold(tag));
    const change = { add: add.filter((tag) => !has(tag)), remove: remove.filter(has) };
    return change.add.length + change.remove.length > 0 ? [{ kind: 'tags', id, ...change }] : [];
  });
}
