/**
 * The steps of a task's history, made of audit entries: typing that was saved piece by piece is one step. Pure.
 */
import type { Task } from '../replica/types';
import type { Entry } from './trail';

/** The fields that a user sets. What else an update changes follows from them. */
export const fields = [
  'title',
  'description',
  'due_date',
  'recurrence_pattern',
  'reminder_minutes',
  'priority',
  'tags',
] as const;
export type FieldName = (typeof fields)[number];

/** One field before and after. */
export interface FieldChange<F extends FieldName = FieldName> {
  field: F;
  old: Task[F];
  new: Task[F];
}

/** What one actor did to the task at one time. */
export interface Step {
  /** The event's id: of the last, where one step was several. */
  id: string;
  type: string;
  actor: Entry['actor'];
  /** Milliseconds since 1970. */
  at: number;
  changes: FieldChange[];
  /** The whole task after it. */
  task: Task;
}

export function stepOf(entry: Entry): Step {
  const changed = (entry.payload.changes ?? {}) as Record<string, { old: unknown; new: unknown }>;
  return {
    id: entry.event_id,
    type: entry.event_type,
    actor: entry.actor,
    at: Date.parse(entry.event_timestamp),
    changes: fields.flatMap((field) => {
      const change = changed[field];
      return change ? [{ field, ...change } as FieldChange] : [];
    }),
    task: entry.payload.task as unknown as Task,
  };
}

/** How far apart saves of one text may be to be one step, in milliseconds. */
const oneSitting = 5 * 60_000;

/** Steps, newest first. */
export function stepsOf(entries: readonly Entry[]): Step[] {
  const steps: Step[] = [];
  for (const step of entries.map(stepOf)) {
    const later = steps.at(-1);
    if (later && isTyping(step, later) && !isRoundTrip(step, later))
      steps[steps.length - 1] = joined(step, later);
    else steps.push(step);
  }
  return steps;
}

function isTyping(step: Step, later: Step): boolean {
  const field = textOf(step);
  return (
    field !== undefined &&
    field === textOf(later) &&
    step.actor.id === later.actor.id &&
    later.at - step.at <= oneSitting
  );
}

/** The text that a step changes and nothing else. */
function textOf({ type, changes: [only, ...others] }: Step): FieldName | undefined {
  const isText = only?.field === 'title' || only?.field === 'description';
  return type === 'task.updated' && isText && others.length === 0 ? only.field : undefined;
}

/** Whether a text is back where it was: that is no change, and each way is a step to be seen and undone. */
function isRoundTrip(step: Step, later: Step): boolean {
  return step.changes[0]?.old === later.changes[0]?.new;
}

function joined(step: Step, later: Step): Step {
  return {
    ...later,
    at: step.at, // so that a sitting cannot go on for ever: it is measured from its beginning
    changes: later.changes.map((change, i) => ({ ...change, old: step.changes[i]?.old }) as FieldChange),
  };
}
