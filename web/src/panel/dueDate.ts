/**
 * A due date taken apart into what the user sees, and put together in the form it was given. Pure.
 */
import { dayAt, instant } from '../replica/due';

/**
 * `date`: a whole day · `floating`: a time on the user's clock, wherever they are · `zoned`: one moment, the same for
 * the whole world.
 */
export type Form = 'date' | 'floating' | 'zoned';

export interface DueParts {
  form: Form;
  /** `2026-03-31`, in the user's zone. */
  day: string;
  /** `09:00`, with seconds where it has any; empty for a whole day. */
  time: string;
}

export function formOf(due: string): Form {
  if (due.length === 10) return 'date';
  return due.length === 19 ? 'floating' : 'zoned';
}

export function partsOf(due: string, zone: string): DueParts {
  const form = formOf(due);
  if (form === 'date') return { form, day: due, time: '' };
  if (form === 'floating') return { form, day: due.slice(0, 10), time: withoutSeconds(due.slice(11)) };
  const at = Date.parse(due);
  return { form, day: dayAt(at, zone), time: withoutSeconds(clock(at, zone)) };
}

/** The due date of its parts. A moment is written with the offset that the user's zone has then. */
export function dueOf({ form, day, time }: DueParts, zone: string): string {
  if (form === 'date' || time === '') return day;
  const local = `${day}T${time.length === 5 ? `${time}:00` : time}`;
  if (form === 'floating') return local;
  const at = instant(local, zone);
  const east = Date.parse(`${local}Z`) / 1000 - at;
  if (east % 60 !== 0) return `${new Date(at * 1000).toISOString().slice(0, 19)}Z`; // local mean time, before zones
  const size = Math.abs(east) / 60;
  const two = (n: number) => String(n).padStart(2, '0');
  return `${local}${east < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

function clock(at: number, zone: string): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeStyle: 'medium', hourCycle: 'h23' }).format(
    at,
  );
}

function withoutSeconds(time: string): string {
  return time.endsWith(':00') ? time.slice(0, 5) : time;
}
