import type { Query, SortKey } from '../replica/query';

/** Reads the filter in an address; what it does not know, it passes over. The names are those of GET /api/tasks. */
export function readFilter(params: URLSearchParams): Query {
  const query: Query = {};
  const search = params.get('search')?.trim();
  if (search) query.search = search;
  const priorities = params.getAll('priority').filter((p) => p === 'high' || p === 'medium' || p === 'low');
  if (priorities.length > 0) query.priorities = priorities;
  const statuses = params.getAll('status').filter((s) => s === 'pending' || s === 'completed');
  if (statuses.length > 0) query.statuses = statuses;
  const tags = params.getAll('tag').filter((tag) => tag.trim() !== '');
  if (tags.length > 0) query.tags = tags;
  const before = params.get('due_before');
  if (before && isDay(before)) query.dueBefore = before;
  const after = params.get('due_after');
  if (after && isDay(after)) query.dueAfter = after;
  const sortBy = params.get('sort_by');
  if (sortBy && isSortKey(sortBy)) query.sortBy = sortBy;
  const order = params.get('sort_order');
  if (query.sortBy && (order === 'asc' || order === 'desc')) query.descending = order === 'desc';
  return query;
}

/** Writes a filter as {@link readFilter} reads it. */
export function writeFilter(query: Query): URLSearchParams {
  const params = new URLSearchParams();
  if (query.search) params.set('search', query.search);
  for (const p of query.priorities ?? []) params.append('priority', p);
  for (const s of query.statuses ?? []) params.append('status', s);
  for (const tag of query.tags ?? []) params.append('tag', tag);
  if (query.dueBefore) params.set('due_before', query.dueBefore);
  if (query.dueAfter) params.set('due_after', query.dueAfter);
  if (query.sortBy) params.set('sort_by', query.sortBy);
  if (query.sortBy && query.descending !== undefined)
    params.set('sort_order', query.descending ? 'desc' : 'asc');
  return params;
}

function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
}

function isSortKey(text: string): text is SortKey {
  return ['created_at', 'updated_at', 'due_date', 'priority', 'title'].includes(text);
}
