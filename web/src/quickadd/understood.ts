/**
 * What quick add knows of a line of text: what the server understood, and what the view adds. Pure.
 */
import type { Schemas } from '../api/client';
import type { IconName } from '../design/Icon';
import { dayAt } from '../replica/due';
import { fold } from '../replica/fold';
import type { Query } from '../replica/query';
import type { NewTask } from '../replica/types';
import type { View } from '../tasks/views';
import { formatDue, t } from '../text';

export type Understood = Schemas['Result'];
type Span = Schemas['Span'];

/** What a task added in a view has, unless the text says otherwise. */
export interface Given {
  due_date?: string;
  tags: readonly string[];
  priority?: 'high' | 'medium' | 'low';
}

/** Today's list gives its date; a filter its tags and, where it names only one, its priority. */
export function givenBy(view: View, filter: Query, now: number, zone: string): Given {
  const [priority, another] = filter.priorities ?? [];
  return {
    ...(view === 'today' && { due_date: dayAt(now, zone) }),
    tags: filter.tags ?? [],
    ...(priority && !another && { priority }),
  };
}

/** One thing that is known of the task to be added, and how to drop it: as text, or as given by the view. */
export interface Part {
  icon: IconName;
  label: string;
  /** The stretch of text that was understood; undefined is given by the view. */
  text?: string;
  /** For a part that the view gives: what to leave out. */
  given?: string;
}

/** Everything that is known, in the order of the text, then what the view gives besides. */
export function partsOf(
  understood: Understood | undefined,
  given: Given,
  without: readonly string[],
  now: number,
  zone: string,
): Part[] {
  const spans = understood?.spans.filter((s) => s.kind !== 'escape') ?? [];
  const parts = spans.map((span): Part => ({
    ...faceOf(span, spans, understood?.due_date ?? '', now, zone),
    text: span.text,
  }));
  const left = leftOf(understood, given, without);
  if (left.due_date)
    parts.push({ icon: 'today', label: formatDue(left.due_date, now, zone, true), given: 'due_date' });
  if (left.priority) parts.push({ icon: 'flag', label: t.priority[left.priority], given: 'priority' });
  for (const tag of left.tags) parts.push({ icon: 'tag', label: `#${tag}`, given: `#${tag}` });
  return parts;
}

function faceOf(
  span: Span,
  spans: readonly Span[],
  due: string,
  now: number,
  zone: string,
): Pick<Part, 'icon' | 'label'> {
  const dated = spans.some((s) => s.kind === 'due');
  const timed = spans.some((s) => s.kind === 'time');
  switch (span.kind) {
    case 'due':
      return { icon: 'today', label: formatDue(timed ? due.slice(0, 10) : due, now, zone, true) };
    case 'time':
      return { icon: 'clock', label: formatDue(due, now, zone, !dated) };
    case 'repeat': {
      const first = dated || timed || !due ? '' : ` · ${formatDue(due, now, zone, true)}`;
      return { icon: 'repeat', label: span.text + first };
    }
    case 'tag':
      return { icon: 'tag', label: `#${span.value}` };
    case 'priority':
      return {
        icon: 'flag',
        label: (t.priority as Partial<Record<string, string>>)[span.value] ?? span.text,
      };
    case 'reminder':
      return { icon: 'bell', label: span.text };
    default:
      return { icon: 'repeat', label: span.text };
  }
}

/** What the view gives that the text does not say and the user has not left out. */
function leftOf(understood: Understood | undefined, given: Given, without: readonly string[]): Given {
  const said = new Set((understood?.tags ?? []).map(fold));
  const tags = given.tags.filter((tag) => !said.has(fold(tag)) && !without.includes(`#${tag}`));
  return {
    ...(given.due_date &&
      !understood?.due_date &&
      !without.includes('due_date') && { due_date: given.due_date }),
    ...(given.priority &&
      !understood?.priority &&
      !without.includes('priority') && { priority: given.priority }),
    tags,
  };
}

/** The task to be added: as it was understood; where the server cannot be asked, as plain text. */
export function bodyOf(
  text: string,
  understood: Understood | undefined,
  given: Given,
  without: readonly string[],
): NewTask {
  const left = leftOf(understood, given, without);
  const due = understood?.due_date || left.due_date;
  const priority = (understood?.priority || left.priority) as NewTask['priority'];
  return {
    title: understood ? understood.title : text.trim(),
    tags: [...(understood?.tags ?? []), ...left.tags],
    ...(due && { due_date: due }),
    ...(priority && { priority }),
    ...(understood?.recurrence_pattern && { recurrence_pattern: understood.recurrence_pattern }),
    ...(understood?.reminder_minutes && { reminder_minutes: understood.reminder_minutes }),
  };
}

/** What is wrong with a title: it has 1 to 255 characters. */
export function faultOf(title: string): string | undefined {
  if (title === '') return t.quickAdd.noTitle;
  return Array.from(title).length > 255 ? t.quickAdd.tooLong : undefined;
}
