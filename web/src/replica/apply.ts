import { fold } from './fold';
import type { Change, NewTask, Pending, Task, TaskPatch } from './types';

/** A task as the server said, with the user's own changes of it on top, in their order. Pure. */
export function applyAll(
  task: Task | undefined,
  pending: readonly Pending[],
  owner: Owner,
): Task | undefined {
  return pending.reduce((t, { change, at }) => apply(t, change, at, owner), task);
}

/** What a new task takes from its owner. */
export interface Owner {
  id: string;
  reminder_minutes: readonly number[];
}

/** One change, as the server will make it as far as that can be known here; undefined is no task, or a deleted one. */
export function apply(task: Task | undefined, change: Change, at: string, owner: Owner): Task | undefined {
  switch (change.kind) {
    case 'create':
      return task ?? created(change.id, change.body, at, owner);
    case 'delete':
      return undefined;
    case 'restore':
      return task ?? change.task;
    case 'update':
      return task && { ...task, ...values(change.patch, owner), updated_at: at };
    case 'tags':
      return task && { ...task, tags: changedTags(task.tags, change.add, change.remove), updated_at: at };
    case 'complete':
      return task?.status === 'pending'
        ? { ...task, status: 'completed', completed_at: at, updated_at: at }
        : task;
    case 'reopen':
      return task?.status === 'completed'
        ? { ...task, status: 'pending', completed_at: null, updated_at: at }
        : task;
  }
}

function created(id: string, body: NewTask, at: string, owner: Owner): Task {
  return {
    id,
    title: (body.title ?? body.quick ?? '').trim(),
    description: body.description ?? '',
    status: 'pending',
    priority: body.priority ?? 'medium',
    due_date: body.due_date ?? null,
    tags: changedTags([], body.tags ?? [], []),
    recurrence_pattern: body.recurrence_pattern ?? null,
    recurrence_parent_id: null,
    series_start: null,
    series_zone: null,
    occurrence: null,
    occurrence_number: null,
    reminder_minutes: body.reminder_minutes ?? [...owner.reminder_minutes],
    created_by: owner.id,
    created_at: at,
    updated_at: at,
    completed_at: null,
    version: 0,
  };
}

/** The fields a merge patch sets; null is the field's empty value, or the user's default for reminders. */
function values(patch: TaskPatch, owner: Owner): Partial<Task> {
  const out: Partial<Task> = {};
  if (patch.title !== undefined) out.title = patch.title.trim();
  if (patch.description !== undefined) out.description = patch.description ?? '';
  if (patch.priority !== undefined) out.priority = patch.priority ?? 'medium';
  if (patch.due_date !== undefined) out.due_date = patch.due_date;
  if (patch.tags !== undefined) out.tags = changedTags([], patch.tags ?? [], []);
  if (patch.recurrence_pattern !== undefined) out.recurrence_pattern = patch.recurrence_pattern;
  if (patch.reminder_minutes !== undefined)
    out.reminder_minutes = patch.reminder_minutes ?? [...owner.reminder_minutes];
  return out;
}

/** As task.ChangeTags does: a tag that is there already keeps its spelling and place. */
export function changedTags(
  tags: readonly string[],
  add: readonly string[],
  remove: readonly string[],
): string[] {
  const gone = new Set(remove.map(tagKey));
  const kept = tags.filter((tag) => !gone.has(tagKey(tag)));
  const held = new Set(kept.map(tagKey));
  for (const tag of add) {
    const key = tagKey(tag);
    if (!held.has(key)) kept.push(tag.trim());
    held.add(key);
  }
  return kept;
}

function tagKey(tag: string): string {
  return fold(tag.trim());
}
