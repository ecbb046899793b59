/**
 * The inbox: reminders whose moment came, kept by the server until they are many. What is asked of it and done with it.
 *
 * [Task]: T052
 */
import { useInfiniteQuery, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { call, type Reply, type Schemas } from '../api/client';
import { useReplica, useSnapshot } from '../replica/store';

export type InboxItem = Schemas['InboxItem'];

const key = ['notifications'] as const;
const pageSize = 50;

/** The entries, newest first, page by page. */
export function useInbox() {
  return useInfiniteQuery({
    queryKey: [...key, 'entries'],
    queryFn: ({ pageParam, signal }) => entries(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
  });
}

function entries(cursor: string | undefined, signal: AbortSignal): Promise<Reply<InboxItem[]>> {
  return call('get', '/api/notifications', {
    query: { limit: pageSize, ...(cursor !== undefined && { cursor }) },
    signal,
  });
}

/** How many entries are unread, kept fresh: a reminder adds one, a new connection may have missed some. */
export function useUnreadCount(): number {
  const replica = useReplica();
  const queries = useQueryClient();
  const { live } = useSnapshot().status;
  const { data } = useQuery({
    queryKey: [...key, 'unread'],
    queryFn: async ({ signal }) => {
      const { total } = await call('get', '/api/notifications', {
        query: { unread: true, limit: 1 },
        signal,
      });
      return total ?? 0;
    },
    enabled: live === 'open',
  });
  useEffect(() => {
    const stop = new AbortController();
    const ignore = replica.onReminder((r) => void refreshUntilKept(queries, r.notification_id, stop.signal));
    return () => {
      ignore();
      stop.abort();
    };
  }, [replica, queries]);
  useEffect(() => {
    if (live === 'open') void refresh(queries);
  }, [live, queries]);
  return data ?? 0;
}

export async function refresh(queries: QueryClient): Promise<void> {
  await queries.invalidateQueries({ queryKey: key });
}

/** When to ask whether the entry is there, in milliseconds after its reminder: the inbox learns of it as we do. */
const asks = [100, 400, 1_500, 5_000];

async function refreshUntilKept(queries: QueryClient, id: string, stop: AbortSignal): Promise<void> {
  for (const wait of asks) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (stop.aborted) return;
    const newest = await entries(undefined, stop).catch(() => undefined);
    if (newest?.body.some((entry) => entry.notification_id === id)) break;
  }
  await refresh(queries);
}

/** Marks entries as read, here at once; what the server does not take is unread again. */
export async function markRead(queries: QueryClient, ids: readonly string[]): Promise<void> {
  const read = new Set(ids);
  queries.setQueryData<{ pages: Reply<InboxItem[]>[]; pageParams: unknown[] }>(
    [...key, 'entries'],
    (shown) =>
      shown
        ? { ...shown, pages: shown.pages.map((page) => ({ ...page, body: page.body.map(as(read)) })) }
        : shown,
  );
  try {
    for (const id of ids) await call('post', '/api/notifications/{id}/read', { path: { id } });
  } finally {
    await refresh(queries);
  }
}

function as(read: ReadonlySet<string>): (entry: InboxItem) => InboxItem {
  return (entry) => (read.has(entry.notification_id) ? { ...entry, read: true } : entry);
}

/** Marks every unread entry as read, also those that are not shown. */
export async function markAllRead(queries: QueryClient): Promise<void> {
  for (;;) {
    const { body } = await call('get', '/api/notifications', { query: { unread: true, limit: 200 } });
    if (body.length === 0) break;
    await markRead(
      queries,
      body.map((entry) => entry.notification_id),
    );
  }
}

/** Asks for the reminder once more, at a moment (milliseconds since 1970); the entry is read then. */
export async function snooze(queries: QueryClient, id: string, at: number): Promise<void> {
  const until = `${new Date(at).toISOString().slice(0, 19)}Z`; // the API knows whole seconds
  await call('post', '/api/notifications/{id}/snooze', { path: { id }, body: { until } });
  await refresh(queries);
}
