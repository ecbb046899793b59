/**
 * Moments and due dates in full, as the panel, the history and the activity page write them. Pure but for the
 * language, which is the browser's.
 */
import { formatted, locale } from './index';

/** `25 Nov 2026, 21:40`. */
export function formatMoment(at: number, zone: string): string {
  return formatted(at, zone, { dateStyle: 'medium', timeStyle: 'short' });
}

/** A moment to the second, with its zone: for what must be exact. */
export function formatExact(at: number, zone: string): string {
  return formatted(at, zone, { dateStyle: 'full', timeStyle: 'long' });
}

/** A due date in full, in the user's zone: its day, and its time if it has one. */
export function formatDueFull(due: string, zone: string): string {
  const day = { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' } as const;
  if (due.length === 10) return formatted(Date.parse(`${due}T00:00:00Z`), 'UTC', day);
  const time = { ...day, hour: 'numeric', minute: '2-digit' } as const;
  return due.length === 19
    ? formatted(Date.parse(`${due}Z`), 'UTC', time)
    : formatted(Date.parse(due), zone, time);
}

/** A day, `2026-03-31`, in the parts that are asked for. */
export function formatDate(day: string, options: Intl.DateTimeFormatOptions): string {
  return formatted(Date.parse(`${day}T00:00:00Z`), 'UTC', options);
}

const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
const units: readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['week', 7 * 86_400],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** How long ago, or in how long, in its largest unit: `2 hours ago`, `yesterday`; below a minute `now`. */
export function formatAgo(at: number, now: number): string {
  const seconds = Math.trunc((at - now) / 1000);
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(0, 'second');
}

/** `Monday`…, Monday first. */
export function weekdayNames(style: 'long' | 'short' | 'narrow'): string[] {
  return Array.from({ length: 7 }, (_, i) => formatted(Date.UTC(2024, 0, 1 + i), 'UTC', { weekday: style }));
}

/** `a, b and c`. */
export function formatList(items: readonly string[]): string {
  return new Intl.ListFormat(locale, { type: 'conjunction' }).format(items);
}
