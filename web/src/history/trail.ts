/**
 * Entries of the audit trail as pages, and what is newer than them. Pure.
 */
import type { Schemas } from '../api/client';

export type Entry = Schemas['Entry'];

/** The types of events that can be asked for. */
export const eventTypes = [
  'task.created',
  'task.updated',
  'task.completed',
  'task.reopened',
  'task.deleted',
  'task.restored',
] as const;
export type EventType = (typeof eventTypes)[number];

/** Which entries. */
export interface TrailFilter {
  /** One task's history; absent is the whole account's. */
  task?: string;
  types?: readonly EventType[];
  /** RFC 3339: from this moment on, and before that one. */
  from?: string;
  to?: string;
}

/** Pages, newest first, and the list version up to which they have everything. */
export interface Trail {
  entries: readonly Entry[];
  listVersion: number;
  /** The cursor of the page before; undefined at the beginning of time. */
  next: string | undefined;
}

/**
 * Takes in the newest page. If it reaches down to what is here, what is new goes on top; otherwise too much happened
 * meanwhile, and the newest page is all there is until older ones are asked for again.
 */
export function withNewest(trail: Trail | undefined, newest: Trail): Trail {
  const top = trail?.entries[0];
  if (!trail || !top) return newest;
  const older = newest.entries.findIndex((e) => e.list_version <= top.list_version);
  if (older < 0 && newest.next !== undefined) return newest;
  const fresh = older < 0 ? newest.entries : newest.entries.slice(0, older);
  return {
    entries: [...fresh, ...trail.entries],
    listVersion: Math.max(trail.listVersion, newest.listVersion),
    next: trail.next,
  };
}

/** Takes in the page before the oldest entry. */
export function withOlder(trail: Trail, page: Trail): Trail {
  return { ...trail, entries: [...trail.entries, ...page.entries], next: page.next };
}
