/**
 * Undoing one step of a task's history, whatever happened since: the fields that the step changed go back to what they
 * were, and nothing else does. Pure.
 *
 * [Task]: T061
 */
import { fold } from '../replica/fold';
import type { Change, Task, TaskPatch } from '../replica/types';
import type { FieldChange, Step } from './steps';

/** Why a step cannot be undone; the texts are in `t.history.why`. */
export type Hindrance =
  'created' | 'deleted' | 'same' | 'reopened' | 'completed' | 'restored' | 'expired' | 'slot' | 'unknown';

/** What undoing a step does to one field. */
export interface Effect {
  change: FieldChange;
  /** Whether the field was changed again since the step: then that is replaced too. */
  overwrites: boolean;
}

export type Undo =
  | { possible: false; why: Hindrance }
  | {
      possible: true;
      changes: Change[];
      effects: Effect[];
      does: 'complete' | 'reopen' | 'delete' | 'restore' | 'fields';
    };

/** How long a deleted task can be restored, in milliseconds. */
const restorable = 30 * 86_400_000;

/** What it takes to undo a step of a task that is now as `task` says. */
export function undoOf(step: Step, task: Task, now: number): Undo {
  const deleted = task.status === 'deleted';
  const hindered = (why: Hindrance): Undo => ({ possible: false, why });
  const does = (kind: 'complete' | 'reopen' | 'delete' | 'restore'): Undo => ({
    possible: true,
    changes: [{ kind, id: task.id }],
    effects: [],
    does: kind,
  });
  if (step.type === 'task.deleted') {
    if (!deleted) return hindered('restored');
    return now - step.at < restorable ? does('restore') : hindered('expired');
  }
  if (deleted) return hindered('deleted');
  switch (step.type) {
    case 'task.created':
      return hindered('created');
    case 'task.completed':
      return task.status === 'completed' ? does('reopen') : hindered('reopened');
    case 'task.reopened':
      return task.status === 'pending' ? does('complete') : hindered('completed');
    case 'task.restored':
      return does('delete');
    case 'task.updated':
      return fieldsBack(step, task);
    default:
      return hindered('unknown');
  }
}

function fieldsBack(step: Step, task: Task): Undo {
  if (step.changes.length === 0) return { possible: false, why: 'slot' };
  const changes: Change[] = [];
  const effects: Effect[] = [];
  const patch: TaskPatch = {};
  for (const change of step.changes) {
    if (change.field === 'tags') {
      const back = tagsBack(change as FieldChange<'tags'>, task.tags);
      if (!back) continue;
      changes.push({ kind: 'tags', id: task.id, ...back });
      effects.push({ change, overwrites: false });
    } else if (!same(task[change.field], change.old)) {
      Object.assign(patch, { [change.field]: change.old });
      effects.push({ change, overwrites: !same(task[change.field], change.new) });
    }
  }
  if (Object.keys(patch).length > 0) changes.unshift({ kind: 'update', id: task.id, patch });
  if (changes.length === 0) return { possible: false, why: 'same' };
  return { possible: true, changes, effects, does: 'fields' };
}

/** The tags that the step took come back, those it brought go; tags of other steps stay as they are. */
function tagsBack({ old, new: next }: FieldChange<'tags'>, tags: readonly string[]) {
  const has = (list: readonly string[], tag: string) => list.some((one) => fold(one) === fold(tag));
  const add = old.filter((tag) => !has(next, tag) && !has(tags, tag));
  const remove = next.filter((tag) => !has(old, tag) && has(tags, tag));
  return add.length + remove.length > 0 ? { add, remove } : undefined;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
