import type { Change, Made } from '../replica/types';
import { quoted, t } from '../text';

/** What was made, in a few words: `Completed “Water the plants”`. Pure. */
export function describe({ changes, title }: Pick<Made, 'changes' | 'title'>): string {
  const tasks = new Set(changes.map((change) => change.id)).size;
  const what = tasks > 1 ? t.undo.many(tasks) : title ? quoted(title) : t.undo.one;
  return t.undo[verbOf(changes)](what);
}

type Verb = Change['kind'] | (typeof fields)[number];

const fields = [
  'title',
  'priority',
  'due_date',
  'description',
  'recurrence_pattern',
  'reminder_minutes',
] as const;

/** The one thing that was done; `update` where it was several. */
function verbOf(changes: readonly Change[]): Verb {
  const verbs = new Set(changes.map(verbOfOne));
  const [verb] = verbs;
  return verb && verbs.size === 1 ? verb : 'update';
}

function verbOfOne(change: Change): Verb {
  if (change.kind !== 'update') return change.kind;
  const [field, ...more] = Object.keys(change.patch);
  if (field === 'tags' && more.length === 0) return 'tags';
  return (more.length === 0 && fields.find((f) => f === field)) || 'update';
}
