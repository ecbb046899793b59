/**
 * A step of history in words: who did what, and each field from what to what. Pure but for the texts.
 */
import { t } from '../text/details';
import { formatDueFull, formatList } from '../text/moments';
import { reminderText } from '../panel/ReminderList';
import type { Task } from '../replica/types';
import type { FieldChange, FieldName, Step } from './steps';

/** What wording needs to know of who reads. */
export interface Reader {
  id: string;
  zone: string;
  /** A recurrence pattern in words, as the server has them. */
  patternWords: (pattern: string) => string;
}

export function actorText({ kind, id, name }: Step['actor'], reader: Reader): string {
  if (kind === 'service') return t.history.service[id] ?? name;
  if (kind === 'token') return t.history.youBy(name);
  return id === reader.id ? t.history.you : name;
}

/** What was done, without the fields. */
export function actionText(step: Step): string {
  if (step.type === 'task.created' && step.actor.kind === 'service') return t.history.continued;
  if (step.type === 'task.updated' && step.changes.length === 0) return t.history.slot;
  return t.history.did[step.type] ?? t.history.unknown;
}

export function fieldText(field: FieldName): string {
  return t.history.fields[field];
}

/** A value of a field, as the panel would show it. */
export function valueText<F extends FieldName>(field: F, value: Task[F], reader: Reader): string {
  if (value === null || value === '' || (Array.isArray(value) && value.length === 0))
    return t.history.empty[field];
  switch (field) {
    case 'due_date':
      return formatDueFull(value as string, reader.zone);
    case 'recurrence_pattern':
      return reader.patternWords(value as string);
    case 'reminder_minutes':
      return formatList((value as number[]).map(reminderText));
    case 'tags':
      return formatList((value as string[]).map((tag) => `#${tag}`));
    case 'priority':
      return t.priority[value as Task['priority']];
    default:
      return value as string;
  }
}

/** A step in one line, as the button that undoes it says it: `changed Title and Tags`. */
export function stepText(step: Step): string {
  if (step.changes.length === 0) return actionText(step);
  return `${actionText(step)} ${formatList(step.changes.map(({ field }) => fieldText(field)))}`;
}

/** The recurrence patterns that steps speak of. */
export function patternsIn(changes: readonly FieldChange[]): string[] {
  return changes.flatMap(({ field, old, new: next }) =>
    field === 'recurrence_pattern' ? [old, next].filter((p): p is string => typeof p === 'string') : [],
  );
}
