/**
 * A filter as it is kept: in the address, with the names of GET /api/tasks, and saved (/api/filters). Pure.
 *
 * [Task]: T062
 */
import type { Schemas } from '../api/client';
import { addDays } from '../replica/due';
import type { Query, SortKey } from '../replica/query';

/**
 * A query whose days may move: `today`, `today+7` and `today-1` stand for a day, counted from the one on which it is
 * asked.
 */
export type Filter = Query;

/** Reads the filter in an address; what it does not know, it passes over. */
export function readFilter(params: URLSearchParams): Filter {
  const filter: Filter = {};
  const search = params.get('search')?.trim();
  if (search) filter.search = search;
  const priorities = params.getAll('priority').filter((p) => p === 'high' || p === 'medium' || p === 'low');
  if (priorities.length > 0) filter.priorities = priorities;
  const statuses = params.getAll('status').filter((s) => s === 'pending' || s === 'completed');
  if (statuses.length > 0) filter.statuses = statuses;
  const tags = params.getAll('tag').filter((tag) => tag.trim() !== '');
  if (tags.length > 0) filter.tags = tags;
  const before = params.get('due_before');
  if (before && isBound(before)) filter.dueBefore = before;
  const after = params.get('due_after');
  if (after && isBound(after)) filter.dueAfter = after;
  const sortBy = params.get('sort_by');
  if (sortBy && isSortKey(sortBy)) filter.sortBy = sortBy;
  const order = params.get('sort_order');
  if (filter.sortBy && (order === 'asc' || order === 'desc')) filter.descending = order === 'desc';
  return filter;
}

/** Writes a filter as {@link readFilter} reads it. */
export function writeFilter(filter: Filter): URLSearchParams {
  const params = new URLSearchParams();
  if (filter.search) params.set('search', filter.search);
  for (const p of filter.priorities ?? []) params.append('priority', p);
  for (const s of filter.statuses ?? []) params.append('status', s);
  for (const tag of filter.tags ?? []) params.append('tag', tag);
  if (filter.dueBefore) params.set('due_before', filter.dueBefore);
  if (filter.dueAfter) params.set('due_after', filter.dueAfter);
  if (filter.sortBy) params.set('sort_by', filter.sortBy);
  if (filter.sortBy && filter.descending !== undefined)
    params.set('sort_order', filter.descending ? 'desc' : 'asc');
  return params;
}

/** A filter without some of its members. */
export function without(filter: Filter, ...names: (keyof Filter)[]): Filter {
  const kept = Object.entries(filter).filter(([name]) => !names.some((gone) => gone === name));
  return Object.fromEntries(kept);
}

/** Whether two filters ask for the same. */
export function sameFilter(a: Filter, b: Filter): boolean {
  return writeFilter(a).toString() === writeFilter(b).toString();
}

/** A filter as /api/filters keeps it, and back. */
export function toSaved(filter: Filter): Schemas['FilterQuery'] {
  const params = writeFilter(filter);
  const saved: Record<string, string | string[]> = {};
  for (const name of new Set(params.keys())) {
    const many = name === 'priority' || name === 'status' || name === 'tag';
    saved[name] = many ? params.getAll(name) : (params.get(name) ?? '');
  }
  return saved;
}

export function fromSaved(saved: Schemas['FilterQuery']): Filter {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(saved)) {
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, one);
  }
  return readFilter(params);
}

const relative = /^today(?:([+-])(\d{1,4}))?$/;

/** The query that a filter stands for on a day. */
export function onDay(filter: Filter, today: string): Query {
  const query = { ...filter };
  if (query.dueBefore) query.dueBefore = dayOfBound(query.dueBefore, today);
  if (query.dueAfter) query.dueAfter = dayOfBound(query.dueAfter, today);
  return query;
}

/** The day that a bound stands for; one with a time stays as it is. */
export function dayOfBound(bound: string, today: string): string {
  const m = relative.exec(bound);
  return m ? addDays(today, Number(`${m[1] ?? ''}${m[2] ?? 0}`)) : bound;
}

function isBound(text: string): boolean {
  if (relative.test(text)) return true;
  const form = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})?)?$/;
  return form.test(text) && !Number.isNaN(Date.parse(text));
}

function isSortKey(text: string): text is SortKey {
  return ['created_at', 'updated_at', 'due_date', 'priority', 'title'].includes(text);
}

/** The ranges of days that are offered by name; `custom` is any other. */
export const ranges = {
  any: {},
  late: { dueBefore: 'today' },
  today: { dueAfter: 'today-1', dueBefore: 'today+1' },
  week: { dueAfter: 'today-1', dueBefore: 'today+7' },
} as const satisfies Record<string, Pick<Filter, 'dueAfter' | 'dueBefore'>>;

export function rangeOf({ dueAfter, dueBefore }: Filter): keyof typeof ranges | 'custom' {
  const found = Object.entries(ranges).find(([, r]: [string, Pick<Filter, 'dueAfter' | 'dueBefore'>]) => {
    return r.dueAfter === dueAfter && r.dueBefore === dueBefore;
  });
  return found ? (found[0] as keyof typeof ranges) : 'custom';
}
