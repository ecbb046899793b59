/**
 * Saved filters: queries with a name, in the user's order, the same in every tab and on every device.
 *
 * [Task]: T062
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { call, Problem, type Schemas } from '../api/client';
import { toast } from '../design/toast';
import { useReplica } from '../replica/store';
import { newKey } from '../replica/taskid';
import { t } from '../text';
import { fromSaved, toSaved, type Filter } from './url';

export interface SavedFilter {
  id: string;
  name: string;
  filter: Filter;
}

type Wire = Schemas['Filter'];

const storage = (user: string) => `docket.filters.${user}`;

/** What this browser had last: the navigation shows it at once, and without a network. */
function kept(user: string): Wire[] | undefined {
  try {
    return (JSON.parse(localStorage.getItem(storage(user)) ?? 'null') as Wire[] | null) ?? undefined;
  } catch {
    return undefined;
  }
}

async function load(user: string, signal: AbortSignal): Promise<Wire[]> {
  const { body } = await call('get', '/api/filters', { user, signal });
  localStorage.setItem(storage(user), JSON.stringify(body));
  return body;
}

/** Forgets what this browser keeps of a user's saved filters. */
export function forgetFilters(user: string): void {
  localStorage.removeItem(storage(user));
}

/** The saved filters, now and after every change, wherever it is made. */
export function useSavedFilters(): readonly SavedFilter[] {
  const replica = useReplica();
  const client = useQueryClient();
  const { id } = replica.owner;
  useEffect(
    () => replica.onFilters(() => void client.invalidateQueries({ queryKey: ['filters'] })),
    [replica, client],
  );
  const { data } = useQuery({
    queryKey: ['filters'],
    queryFn: ({ signal }) => load(id, signal),
    initialData: () => kept(id),
    initialDataUpdatedAt: 0,
    select: (wires: Wire[]) => wires.map((w) => ({ id: w.id, name: w.name, filter: fromSaved(w.query) })),
  });
  return data ?? none;
}

const none: readonly SavedFilter[] = [];

/** What can be done to saved filters. Each answers when the server has agreed; a refusal is shown, and changes nothing. */
export function useFilterChanges() {
  const client = useQueryClient();
  const { mutateAsync } = useMutation({
    mutationFn: (work: () => Promise<unknown>) => work(),
    onError: (error) => toast({ text: t.saved.failed(reasonOf(error)), tone: 'late', lasts: 0 }),
    onSettled: () => client.invalidateQueries({ queryKey: ['filters'] }),
  });
  const make = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    let made: T | undefined;
    await mutateAsync(async () => (made = await work())).catch(() => undefined); // onError has told
    return made;
  };
  return {
    create: (name: string, filter: Filter) =>
      make(async () => {
        const body = { name, query: toSaved(filter) };
        return (await call('post', '/api/filters', { body, idempotencyKey: newKey() })).body;
      }),
    rename: (id: string, name: string) =>
      make(() => call('patch', '/api/filters/{id}', { path: { id }, body: { name } })),
    replace: (id: string, filter: Filter) =>
      make(() => call('patch', '/api/filters/{id}', { path: { id }, body: { query: toSaved(filter) } })),
    reorder: (ids: string[]) => make(() => call('put', '/api/filters/order', { body: { ids } })),
    remove: (id: string) => make(() => call('delete', '/api/filters/{id}', { path: { id } })),
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof Problem) return error.fields[0]?.detail ?? error.message;
  return error instanceof Error ? error.message : String(error);
}
