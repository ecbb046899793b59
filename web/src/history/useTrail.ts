/**
 * The audit trail of a task or of the whole account: the newest page, older ones on demand, and what happens from now
 * on. The trail is behind the list by some milliseconds: it is asked again until it has what the list has.
 *
 * [Task]: T034, T069
 */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call, type Reply } from '../api/client';
import { useReplica, useSnapshot } from '../replica/store';
import { withNewest, withOlder, type Entry, type Trail, type TrailFilter } from './trail';

/** How soon a trail that is behind is asked again, in milliseconds. */
const soon = 150;

const pageSize = 50;

async function page(filter: TrailFilter, signal: AbortSignal, cursor?: string): Promise<Trail> {
  const query = {
    limit: pageSize,
    ...(filter.types?.length && { event_type: [...filter.types] }),
    ...(filter.from && { from: filter.from }),
    ...(filter.to && { to: filter.to }),
    ...(cursor && { cursor }),
  };
  const reply: Reply<Entry[]> = filter.task
    ? await call('get', '/api/tasks/{id}/history', { path: { id: filter.task }, query, signal })
    : await call('get', '/api/audit', { query, signal });
  return { entries: reply.body, listVersion: reply.listVersion ?? 0, next: reply.next };
}

export interface ShownTrail {
  trail: Trail | undefined;
  error: Error | null;
  again: () => void;
  /** Loads older entries; undefined where there are none. */
  more: (() => void) | undefined;
  loadingMore: boolean;
}

export function useTrail(filter: TrailFilter): ShownTrail {
  const queries = useQueryClient();
  const replica = useReplica();
  useSnapshot(); // the list's version moves with it
  const version = replica.version;
  const queryKey = ['trail', filter];
  const [loadingMore, setLoadingMore] = useState(false);
  const { data, error, refetch } = useQuery<Trail>({
    queryKey,
    queryFn: async ({ signal }) =>
      withNewest(queries.getQueryData<Trail>(queryKey), await page(filter, signal)),
    staleTime: 0,
    structuralSharing: false,
    refetchInterval: ({ state }) => (state.data && state.data.listVersion < version ? soon : false),
  });
  const next = data?.next;
  const more = async () => {
    setLoadingMore(true);
    try {
      const older = await page(filter, AbortSignal.timeout(20_000), next);
      queries.setQueryData<Trail>(queryKey, (now) =>
        now?.next === next && now ? withOlder(now, older) : now,
      );
    } finally {
      setLoadingMore(false);
    }
  };
  return {
    trail: data,
    error,
    again: () => void refetch(),
    more: next === undefined ? undefined : () => void more(),
    loadingMore,
  };
}
