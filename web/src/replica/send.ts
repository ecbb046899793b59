import { call, Problem, type Reply } from '../api/client';
import { reconcile, type Update } from './texts';
import type { Change, Meeting, Pending, Task } from './types';

/** The task after a change, undefined if it is gone, and the list version of the answer, where it names one. */
export interface Sent {
  task: Task | undefined;
  listVersion: number | undefined;
}

/** What sending an edit of texts needs to know and to keep. */
export interface Editing {
  /** Whose change it is. */
  user: string;
  /** The task as the server had it last, as far as is known here. */
  known: (id: string) => Task | undefined;
  /** Keeps what the edit has become; it is sent only after that. */
  rewrite: (pending: Pending) => Promise<void>;
}

/** Two edits of one text did not fit together: the change is held back, for the user to decide. */
export class TextConflict extends Error {
  override readonly name = 'TextConflict';
}

/** How often an edit is compared anew because another change came first. */
const comparisons = 8;

/** Makes the call that a change stands for. Fails as `call` does, and with {@link TextConflict}. */
export async function send(pending: Pending, editing: Editing, signal: AbortSignal): Promise<Sent> {
  const { change } = pending;
  if (change.kind === 'update' && change.from) return sendEdit(pending, change, editing, signal);
  try {
    const reply = await request(change, undefined, editing.user, signal);
    return { task: reply.body, listVersion: reply.listVersion };
  } catch (error) {
    // Its creation was refused, or it was deleted so long ago that the server forgot: it is gone, as wanted.
    if (
      change.kind === 'delete' &&
      error instanceof Problem &&
      (error.status === 404 || error.status === 410)
    )
      return { task: undefined, listVersion: undefined };
    throw error;
  }
}

/** Sends an edit of texts over the version it was compared with, so that nobody's text is overwritten unseen. */
async function sendEdit(
  pending: Pending,
  update: Update,
  editing: Editing,
  signal: AbortSignal,
): Promise<Sent> {
  let now = pending;
  let seen = editing.known(update.id) ?? (await read(update.id, editing.user, signal));
  for (let tries = 1; ; tries++) {
    const outcome = reconcile(update, seen);
    if (outcome.kind === 'done') return { task: seen, listVersion: undefined };
    if (outcome.kind === 'conflict') throw new TextConflict('Both texts together are too long.');
    if (outcome.meetings.length > 0) {
      update = outcome.update;
      now = { ...now, change: update, meetings: joined(now.meetings ?? [], outcome.meetings) };
      await editing.rewrite(now);
    }
    try {
      const reply = await request(update, `"${seen.version}"`, editing.user, signal);
      return { task: reply.body, listVersion: reply.listVersion };
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 412 || tries === comparisons) throw error;
      seen = await read(update.id, editing.user, signal);
    }
  }
}

/** A text that meets several others is told of once, as it was last. */
function joined(before: readonly Meeting[], now: readonly Meeting[]): Meeting[] {
  return [...before.filter((m) => now.every((n) => n.field !== m.field)), ...now];
}

async function read(id: string, user: string, signal: AbortSignal): Promise<Task> {
  return (await call('get', '/api/tasks/{id}', { path: { id }, user, signal })).body;
}

async function request(
  change: Change,
  ifMatch: string | undefined,
  user: string,
  signal: AbortSignal,
): Promise<Reply<Task | undefined>> {
  const path = { id: change.id };
  switch (change.kind) {
    case 'create':
      return call('post', '/api/tasks', { body: change.body, idempotencyKey: change.key, user, signal });
    case 'update':
      return call('patch', '/api/tasks/{id}', {
        path,
        body: change.patch,
        ...(ifMatch && { ifMatch }),
        user,
        signal,
      });
    case 'tags':
      return call('put', '/api/tasks/{id}/tags', {
        path,
        body: { add: change.add, remove: change.remove },
        user,
        signal,
      });
    case 'delete':
      return call('delete', '/api/tasks/{id}', { path, user, signal });
    case 'complete':
    case 'reopen':
    case 'restore':
      return call('post', `/api/tasks/{id}/${change.kind}`, { path, user, signal });
  }
}
