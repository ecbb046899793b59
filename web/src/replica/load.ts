import { call } from '../api/client';
import type { Task } from './types';

/** One page of tasks, and the list version it is from. */
export interface LoadedPage {
  tasks: Task[];
  listVersion: number;
}

/**
 * Loads every task that is not deleted, page by page: what is to be done first, the soonest before the later, then
 * what is done. Changes made meanwhile may hide a task from every page, but they come by /ws from the first page's
 * version on.
 */
export async function* loadAll(user: string, signal: AbortSignal): AsyncGenerator<LoadedPage> {
  for (const status of ['pending', 'completed'] as const) {
    const query = {
      status: [status],
      sort_by: status === 'pending' ? 'due_date' : 'updated_at',
      limit: '200',
    };
    let cursor: string | undefined;
    do {
      const page = await call('get', '/api/tasks', {
        query: cursor ? { ...query, cursor } : query,
        user,
        signal,
      });
      yield { tasks: page.body, listVersion: page.listVersion ?? 0 };
      cursor = page.next;
    } while (cursor);
  }
}
