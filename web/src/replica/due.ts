/**
 * Due dates in the user's time zone, as package task resolves them (task/due.go). Pure.
 */
import type { Task } from './types';

const dayLength = 10; // 2026-03-31
const localLength = 19; // 2026-03-31T09:00:00

/** The due key of a task without a due date: after every other. */
export const noDue = Number.POSITIVE_INFINITY;

/**
 * When a due date is due, in half seconds since 1970: a date without time is the last half second of its day, so
 * that it comes before what is due at the next midnight.
 */
export function dueKey(due: string | null, zone: string): number {
  if (due === null) return noDue;
  const end = 2 * instant(due, zone);
  return due.length === dayLength ? end - 1 : end;
}

/** The due key at which a due date begins: what is before it has a smaller one. */
export function dueStart(due: string, zone: string): number {
  return due.length === dayLength ? 2 * resolve(wall(due), zone) : dueKey(due, zone);
}

const instants = new Map<string, Map<string, number>>();
const remembered = 50_000; // due dates of one zone

/**
 * The moment of a due date with time, in seconds since 1970; of a date the end of its day. Remembered, as offsets are:
 * a list asks for each of its tasks several times.
 */
export function instant(due: string, zone: string): number {
  let known = instants.get(zone);
  if (!known) instants.set(zone, (known = new Map<string, number>()));
  let at = known.get(due);
  if (at === undefined) {
    if (known.size >= remembered) known.clear();
    known.set(due, (at = readInstant(due, zone)));
  }
  return at;
}

function readInstant(due: string, zone: string): number {
  if (due.length === dayLength) return Math.min(resolve(wall(due) + 86_400, zone), lastInstant);
  if (due.length === localLength) return Math.min(resolve(wall(due), zone), lastInstant);
  return Math.floor(Date.parse(due) / 1000);
}

const lastInstant = 253_402_300_799; // 9999-12-31T23:59:59Z

/** Whether a task's moment has passed. */
export function isOverdue(task: Task, now: number, zone: string): boolean {
  return task.status === 'pending' && task.due_date !== null && instant(task.due_date, zone) * 1000 <= now;
}

/** The day a due date falls on for a user in zone: `2026-03-31`. */
export function dayOf(due: string, zone: string): string {
  return due.length <= localLength ? due.slice(0, dayLength) : dayAt(Date.parse(due), zone);
}

/** The day at a moment (milliseconds since 1970) in zone. */
export function dayAt(now: number, zone: string): string {
  const seconds = Math.floor(now / 1000);
  return new Date((seconds + offsetAt(seconds, zone)) * 1000).toISOString().slice(0, dayLength);
}

/** A day some days later. */
export function addDays(day: string, days: number): string {
  return new Date((wall(day) + days * 86_400) * 1000).toISOString().slice(0, dayLength);
}

/** What a local clock shows, in seconds as if it were UTC. */
function wall(local: string): number {
  return Date.parse(local.length === dayLength ? `${local}T00:00:00Z` : `${local}Z`) / 1000;
}

/**
 * The instant at which clocks in zone show wall. A time that they skip in spring moves forward by the gap; of one
 * that they show twice in autumn it is the first (RFC 5545 §3.3.5).
 */
function resolve(wallSeconds: number, zone: string): number {
  const reach = 26 * 60 * 60; // a good day before and after; no zone changes its clocks twice in two days
  const before = offsetAt(wallSeconds - reach, zone);
  const after = offsetAt(wallSeconds + reach, zone);
  if (before === after || offsetAt(wallSeconds - before, zone) === before) return wallSeconds - before;
  if (offsetAt(wallSeconds - after, zone) === after) return wallSeconds - after;
  return wallSeconds - before; // in the gap
}

const quarter = 15 * 60; // zones change their clocks at full quarters of an hour
const formats = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, Map<number, number>>();

/** Seconds east of UTC that zone has at an instant. Remembered: a list asks for the same days again and again. */
export function offsetAt(seconds: number, zone: string): number {
  const at = Math.floor(seconds / quarter);
  let known = offsets.get(zone);
  if (!known) offsets.set(zone, (known = new Map<number, number>()));
  let offset = known.get(at);
  if (offset === undefined) known.set(at, (offset = readOffset(at * quarter, zone)));
  return offset;
}

function readOffset(seconds: number, zone: string): number {
  let format = formats.get(zone);
  if (!format)
    formats.set(
      zone,
      (format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })),
    );
  const name = format.formatToParts(seconds * 1000).find((p) => p.type === 'timeZoneName')?.value ?? 'GMT';
  const m = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(name);
  if (!m) return 0;
  const size = Number(m[2]) * 3600 + Number(m[3]) * 60 + Number(m[4] ?? 0);
  return m[1] === '-' ? -size : size;
}
