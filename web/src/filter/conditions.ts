import { addDays } from '../replica/due';
import { formatDay, t } from '../text';
import { dayOfBound, rangeOf, without, type Filter } from './url';

/** One condition of a filter, in words, and the filter without it. */
export interface Condition {
  key: string;
  label: string;
  without: Filter;
}

/** The conditions of a filter; neither its search, which has its own field, nor its order is one. Pure. */
export function conditionsOf(filter: Filter, today: string): Condition[] {
  const each = <T extends string>(
    name: 'statuses' | 'priorities' | 'tags',
    values: readonly T[] = [],
    labelOf: (value: T) => string,
  ) =>
    values.map((value): Condition => {
      const others = values.filter((v) => v !== value);
      const rest = others.length > 0 ? { ...filter, [name]: others } : without(filter, name);
      return { key: `${name} ${value}`, label: labelOf(value), without: rest };
    });
  const found = [
    ...each('statuses', filter.statuses, (s) => t.filter.statuses[s]),
    ...each('priorities', filter.priorities, (p) => t.priority[p]),
    ...each('tags', filter.tags, (tag) => `#${tag}`),
  ];
  if (filter.dueAfter ?? filter.dueBefore) {
    const label = rangeInWords(filter, today);
    found.push({ key: 'due', label, without: without(filter, 'dueAfter', 'dueBefore') });
  }
  return found;
}

function rangeInWords(filter: Filter, today: string): string {
  const range = rangeOf(filter);
  if (range !== 'custom') return t.filter.ranges[range];
  const { from, to } = daysOf(filter, today);
  const [first, last] = [from && formatDay(from, today), to && formatDay(to, today)];
  if (first && last) return first === last ? t.filter.on(first) : t.filter.between(first, last);
  return first ? t.filter.from(first) : t.filter.until(last ?? '');
}

/** The first and the last day of a filter's range: its bounds are the days before and after. */
export function daysOf({ dueAfter, dueBefore }: Filter, today: string): { from?: string; to?: string } {
  return {
    ...(dueAfter && { from: shifted(dayOfBound(dueAfter, today), 1) }),
    ...(dueBefore && { to: shifted(dayOfBound(dueBefore, today), -1) }),
  };
}

/** A bound with a time lies within its own day. */
function shifted(bound: string, days: number): string {
  return bound.length === 10 ? addDays(bound, days) : bound.slice(0, 10);
}

/** A filter from one day to another, each of them included; an empty one is no bound. */
export function withDays(filter: Filter, from: string, to: string): Filter {
  return {
    ...without(filter, 'dueAfter', 'dueBefore'),
    ...(from && { dueAfter: addDays(from, -1) }),
    ...(to && { dueBefore: addDays(to, 1) }),
  };
}
