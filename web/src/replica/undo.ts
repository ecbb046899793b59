/**
 * What takes a change back: another change, of just what the first one changed, so that it holds when others have
 * changed the task since, and without a network. Pure.
 *
 * [Task]: T061
 */
import { apply, type Owner } from './apply';
import type { Change, Task, TaskPatch } from './types';

/**
 * The changes that undo others, made over a view, at a time: the last one first. Empty where they change nothing.
 * Undoing the completion of a repeating task reopens it, by which the server takes back its next occurrence.
 */
export function inverseOf(
  changes: readonly Change[],
  view: ReadonlyMap<string, Task>,
  at: string,
  owner: Owner,
): Change[] {
  const seen = new Map<string, Task | undefined>();
  const inverse: Change[] = [];
  for (const change of changes) {
    const before = seen.has(change.id) ? seen.get(change.id) : view.get(change.id);
    const after = apply(before, change, at, owner);
    seen.set(change.id, after);
    inverse.unshift(...inverseOfOne(change, before, after));
  }
  return inverse;
}

function inverseOfOne(change: Change, before: Task | undefined, after: Task | undefined): Change[] {
  const { id } = change;
  if (!before) return after || change.kind === 'restore' ? [{ kind: 'delete', id }] : [];
  if (!after) return [{ kind: 'restore', id, task: before }];
  switch (change.kind) {
    case 'update':
      return [...unpatch(change.patch, before, after), ...untag(before, after)];
    case 'tags':
      return untag(before, after);
    case 'complete':
      return before.status === after.status ? [] : [{ kind: 'reopen', id }];
    case 'reopen':
      return before.status === after.status ? [] : [{ kind: 'complete', id }];
    default:
      return [];
  }
}

const fields = [
  'title',
  'description',
  'priority',
  'due_date',
  'recurrence_pattern',
  'reminder_minutes',
] as const;

/** Sets the fields of a patch back, each if it changed. */
function unpatch(patch: TaskPatch, before: Task, after: Task): Change[] {
  const back: Record<string, unknown> = {};
  const from: { title?: string; description?: string } = {};
  for (const field of fields) {
    if (patch[field] === undefined || JSON.stringify(before[field]) === JSON.stringify(after[field]))
      continue;
    back[field] = before[field];
    if (field === 'title' || field === 'description') from[field] = after[field];
  }
  // A repeating task without a date is due today: the server has set one.
  if ('recurrence_pattern' in back && before.due_date === null) back.due_date = null;
  if (Object.keys(back).length === 0) return [];
  const texts = Object.keys(from).length > 0 && { from };
  return [{ kind: 'update', id: before.id, patch: back, ...texts }];
}

/** Takes away the tags that came, and brings back those that went; others stay. */
function untag(before: Task, after: Task): Change[] {
  const add = before.tags.filter((tag) => !after.tags.includes(tag));
  const remove = after.tags.filter((tag) => !before.tags.includes(tag));
  return add.length + remove.length > 0 ? [{ kind: 'tags', id: before.id, add, remove }] : [];
}
