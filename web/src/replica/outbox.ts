import { call, Problem, type Reply } from '../api/client';
import type { Store } from './db';
import type { Change, Pending, Refusal, Task } from './types';

/** What became of a change: the task after it, and the list version that it made. */
export interface Acknowledged {
  pending: Pending;
  task: Task | undefined;
  listVersion: number;
}

interface Hears {
  /** The queue, of all tabs, is now this. */
  queue: (pending: readonly Pending[]) => void;
  acknowledged: (a: Acknowledged) => void;
  refused: (r: Refusal) => void;
}

/** Waits before a try is repeated, in milliseconds; the last one again and again. */
const backoff = [500, 1_000, 2_000, 5_000, 15_000];

/**
 * The user's changes that the server has not acknowledged, kept on disk before they show and sent one after the
 * other. All tabs share the queue; the one that holds the lock sends. A change whose fate is unknown is sent again:
 * creations carry an Idempotency-Key, and every other change is the same made twice.
 */
export class Outbox {
  readonly #store: Store;
  readonly #hears: Hears;
  readonly #tabs: BroadcastChannel;
  readonly #stop = new AbortController();
  readonly #lock: string;
  #sending = false;
  #wake: () => void = () => undefined;

  constructor(store: Store, user: string, hears: Hears) {
    this.#store = store;
    this.#hears = hears;
    this.#lock = `docket-outbox-${user}`;
    this.#tabs = new BroadcastChannel(this.#lock);
    this.#tabs.onmessage = () => void this.#read();
    addEventListener('online', this.nudge);
  }

  /** Takes up what was left over, by this tab or another. */
  async start(): Promise<void> {
    await this.#read();
    void this.#send();
  }

  close(): void {
    removeEventListener('online', this.nudge);
    this.#stop.abort();
    this.#tabs.close();
    this.#wake();
  }

  /** Keeps changes, then shows and sends them. Fails if the browser refuses to keep them. */
  async add(changes: readonly Change[], at: string): Promise<void> {
    await this.#store.enqueue(changes, at);
    await this.#changed();
    void this.#send();
  }

  /** Tries again now rather than after the wait: the network seems to be back. */
  readonly nudge = (): void => {
    this.#wake();
    void this.#send();
  };

  async #read(): Promise<readonly Pending[]> {
    const pending = await this.#store.outbox();
    if (!this.#stop.signal.aborted) this.#hears.queue(pending);
    return pending;
  }

  async #changed(): Promise<void> {
    await this.#read();
    if (!this.#stop.signal.aborted) this.#tabs.postMessage('changed');
  }

  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      await alone(this.#lock, this.#stop.signal, () => this.#drain());
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    } finally {
      this.#sending = false;
    }
  }

  /** Sends from the queue on disk until it is empty. */
  async #drain(): Promise<void> {
    for (let tries = 0, more = true; more; more = !this.#stop.signal.aborted) {
      const [next] = await this.#store.outbox();
      if (!next) return;
      try {
        const reply = await send(next.change, this.#stop.signal);
        const task = next.change.kind === 'delete' ? undefined : (reply.body as Task);
        this.#hears.acknowledged({ pending: next, task, listVersion: reply.listVersion ?? 0 });
      } catch (error) {
        if (isAbort(error)) return;
        if (!(error instanceof Problem) || error.passing || error.status === 401) {
          await this.#pause(backoff[Math.min(tries++, backoff.length - 1)] ?? 0);
          continue;
        }
        this.#hears.refused({
          pending: next,
          code: error.code,
          message: error.message,
          fields: error.fields,
        });
      }
      tries = 0;
      await this.#store.dequeue(next.seq);
      await this.#changed();
    }
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** Runs work while no other tab does. Plain HTTP on a local network has no locks: there, repeats are harmless too. */
async function alone(lock: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  const locks = (navigator as { locks?: LockManager }).locks;
  await (locks ? locks.request(lock, { signal }, work) : work());
}

/** Makes the call that a change stands for. */
function send(change: Change, signal: AbortSignal): Promise<Reply<unknown>> {
  switch (change.kind) {
    case 'create':
      return call('post', '/api/tasks', { body: change.body, idempotencyKey: change.key, signal });
    case 'update':
      return call('patch', '/api/tasks/{id}', { path: { id: change.id }, body: change.patch, signal });
    case 'tags':
      return call('put', '/api/tasks/{id}/tags', {
        path: { id: change.id },
        body: { add: change.add, remove: change.remove },
        signal,
      });
    case 'delete':
      return call('delete', '/api/tasks/{id}', { path: { id: change.id }, signal });
    case 'complete':
    case 'reopen':
    case 'restore':
      return call('post', `/api/tasks/{id}/${change.kind}`, { path: { id: change.id }, signal });
  }
}
