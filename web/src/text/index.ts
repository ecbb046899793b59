/**
 * What the client says: texts by language, dates and numbers by Intl in the user's locale and time zone.
 *
 * [Task]: T006
 */
import { addDays, dayAt, dayOf } from '../replica/due';
import { en, type Text } from './en';

/** The texts. English is the one language so far. */
export const t: Text = en;

/** The language that dates and numbers are written in. */
export const locale = navigator.language;

const number = new Intl.NumberFormat(locale);
export function formatNumber(n: number): string {
  return number.format(n);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** A moment (milliseconds since 1970) in a zone, as the language writes it. */
export function formatted(at: number, zone: string, options: Intl.DateTimeFormatOptions): string {
  const key = zone + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) formats.set(key, (format = new Intl.DateTimeFormat(locale, { timeZone: zone, ...options })));
  return format.format(at);
}

/** A day as a heading: Today, Tomorrow, or `Friday, 5 June`, with its year when that is not this one. */
export function formatDay(day: string, today: string): string {
  if (day === today) return t.list.today;
  if (day === addDays(today, 1)) return t.list.tomorrow;
  if (day === addDays(today, -1)) return t.list.yesterday;
  const year = day.slice(0, 4) === today.slice(0, 4) ? {} : ({ year: 'numeric' } as const);
  return formatted(Date.parse(`${day}T00:00:00Z`), 'UTC', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    ...year,
  });
}

/** A day beside its name: `Fri, 5 Jun`. */
export function formatShortDay(day: string): string {
  const at = Date.parse(`${day}T00:00:00Z`);
  return formatted(at, 'UTC', { weekday: 'short', day: 'numeric', month: 'short' });
}

/** A due date in few words: its day, unless the list's heading says it, and its time. */
export function formatDue(due: string, now: number, zone: string, withDay: boolean): string {
  const parts: string[] = [];
  const day = dayOf(due, zone);
  const today = dayAt(now, zone);
  if (withDay) parts.push(shortDay(day, today));
  if (due.length === 19) parts.push(formatted(Date.parse(`${due}Z`), 'UTC', { timeStyle: 'short' }));
  if (due.length > 19) parts.push(formatted(Date.parse(due), zone, { timeStyle: 'short' }));
  return parts.join(', ');
}

function shortDay(day: string, today: string): string {
  if (Math.abs(Date.parse(day) - Date.parse(today)) <= 86_400_000) return formatDay(day, today);
  const year = day.slice(0, 4) === today.slice(0, 4) ? {} : ({ year: 'numeric' } as const);
  return formatted(Date.parse(`${day}T00:00:00Z`), 'UTC', { day: 'numeric', month: 'short', ...year });
}

/** A title within a sentence: short, in quotes, and kept apart so that its direction does not turn the rest. */
export function quoted(title: string): string {
  const letters = Array.from(title);
  const short = letters.length > 60 ? `${letters.slice(0, 59).join('')}…` : title;
  return `“\u2068${short}\u2069”`;
}
