/**
 * Days and months as the date picker needs them: `2026-03-31` and `2026-03`. Pure; no zone, no clock.
 */
import { addDays } from '../replica/due';

const firstDay = '1970-01-01';
const lastDay = '9999-12-31';

/** Monday is 1, Sunday is 7 (ISO 8601). */
export function weekdayOf(day: string): number {
  return ((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7) + 1;
}

interface WeekInfo {
  firstDay: number;
}

/** The day that weeks begin with where a language is spoken, as CLDR says; Monday where the browser does not know. */
export function firstDayOfWeek(locale: string): number {
  const known = new Intl.Locale(locale) as Intl.Locale & {
    getWeekInfo?: () => WeekInfo;
    weekInfo?: WeekInfo;
  };
  return (known.getWeekInfo?.() ?? known.weekInfo)?.firstDay ?? 1;
}

/** Six weeks that hold a month, from the first day of the week on which it begins. */
export function weeksOf(month: string, first: number): string[][] {
  const start = startOfWeek(`${month}-01`, first);
  return Array.from({ length: 6 }, (_, week) =>
    Array.from({ length: 7 }, (_, i) => addDays(start, 7 * week + i)),
  );
}

/** The day some months later; from the 31st to a shorter month is to its last day. */
export function addMonths(day: string, months: number): string {
  const date = new Date(`${day}T00:00:00Z`);
  const wanted = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const length = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(wanted, length));
  return within(isoDay(date));
}

export function startOfWeek(day: string, first: number): string {
  return addDays(day, -((weekdayOf(day) - first + 7) % 7));
}

/** Where a key of the month grid leads (ARIA Authoring Practices, date picker); undefined is no such key. */
export function dayAfterKey(day: string, key: string, shift: boolean, first: number): string | undefined {
  switch (key) {
    case 'ArrowLeft':
      return within(addDays(day, -1));
    case 'ArrowRight':
      return within(addDays(day, 1));
    case 'ArrowUp':
      return within(addDays(day, -7));
    case 'ArrowDown':
      return within(addDays(day, 7));
    case 'Home':
      return within(startOfWeek(day, first));
    case 'End':
      return within(addDays(startOfWeek(day, first), 6));
    case 'PageUp':
      return addMonths(day, shift ? -12 : -1);
    case 'PageDown':
      return addMonths(day, shift ? 12 : 1);
  }
}

function isoDay(date: Date): string {
  const year = date.getUTCFullYear();
  if (year > 9999) return lastDay;
  if (year < 1970) return firstDay;
  return date.toISOString().slice(0, 10);
}

/** Due dates are from 1970 to 9999. A later year is written with a sign, and so sorts before them. */
function within(day: string): string {
  if (day.startsWith('+')) return lastDay;
  return day < firstDay ? firstDay : day;
}
