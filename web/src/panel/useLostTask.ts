import { useQuery } from '@tanstack/react-query';
import { call, Problem } from '../api/client';
import { useSnapshot } from '../replica/store';
import type { Task } from '../replica/types';

/** What is known of a task that is not in the list. */
export type Lost =
  | { state: 'loading' | 'missing' }
  | { state: 'failed'; again: () => void }
  | { state: 'deleted'; task: Task };

/**
 * Asks the server for a task that the list does not have. While the list is being loaded, or the task is about to be
 * created, deleted or restored by a change that waits, there is nothing to ask yet.
 */
export function useLostTask(id: string, task: Task | undefined): Lost {
  const { status, pending } = useSnapshot();
  const settled = status.load === 'complete' && !pending.some(({ change }) => change.id === id);
  const { data, error, refetch } = useQuery({
    queryKey: ['task', id],
    queryFn: async ({ signal }) => (await call('get', '/api/tasks/{id}', { path: { id }, signal })).body,
    enabled: task === undefined && settled,
    staleTime: 0,
    gcTime: 0,
    retry: (tries, e) => tries < 2 && !(e instanceof Problem && !e.passing),
  });
  if (error instanceof Problem && error.status === 404) return { state: 'missing' };
  if (error) return { state: 'failed', again: () => void refetch() };
  return data?.status === 'deleted' ? { state: 'deleted', task: data } : { state: 'loading' };
}
