import { call, Problem, Unreachable } from '../api/client';
import type { Store } from './db';
import { send, TextConflict, type Editing } from './send';
import { inTurn, pause, type Still } from './turn';
import type { Change, Pending, Refusal, Task, Trouble } from './types';

/** What became of a change: the task after it, and the list version of the answer, where it named one. */
export interface Acknowledged {
  pending: Pending;
  task: Task | undefined;
  listVersion: number | undefined;
}

interface Hears {
  /** The queue and what was refused, of all tabs, are now this. */
  queue: (pending: readonly Pending[], refused: readonly Refusal[]) => void;
  /** This tab, or another, has an answer; the change leaves the queue next. */
  acknowledged: (a: Acknowledged, here: boolean) => void;
  /** What keeps the tab whose turn it is from sending; undefined: nothing. */
  trouble: (t: Trouble | undefined) => void;
  /** The task as the server had it last. */
  known: (id: string) => Task | undefined;
  /** The title that the user sees. */
  title: (id: string) => string;
}

/** What the tabs tell each other. */
type Told =
  | { kind: 'changed' }
  | { kind: 'answered'; answer: Acknowledged }
  | { kind: 'trouble'; trouble: Trouble | undefined };

/** Waits before a try is repeated, in milliseconds; the last one again and again. */
const backoff = [500, 1_000, 2_000, 5_000, 15_000];
/** The longest that a server's Retry-After is obeyed, in milliseconds: the user may be waiting. */
const patience = 60_000;
/** After how many full waits a change that only gets 500 is set aside, about 24 s; it must not hold up all others. */
const enough = backoff.length;

/**
 * The user's changes that the server has not acknowledged, kept on disk before they show and sent one after the
 * other. All tabs share the queue; the one whose turn it is sends. A change whose fate is unknown is sent again:
 * creations carry an Idempotency-Key, and every other change is the same made twice. One that is refused, or on which
 * a server that is otherwise well fails again and again, makes room for the next, and is kept for the user to decide.
 */
export class Outbox {
  readonly #store: Store;
  readonly #hears: Hears;
  readonly #tabs: BroadcastChannel;
  readonly #stop = new AbortController();
  readonly #name: string;
  readonly #user: string;
  #pending: readonly Pending[] = [];
  #refused: readonly Refusal[] = [];
  /** Places in the queue that have been answered. */
  readonly #done = new Set<number>();
  #sending = false;
  #again = false;
  #wait = new AbortController();

  constructor(store: Store, user: string, hears: Hears) {
    this.#store = store;
    this.#user = user;
    this.#hears = hears;
    this.#name = `docket-outbox-${user}`;
    this.#tabs = new BroadcastChannel(this.#name);
    this.#tabs.onmessage = (event: MessageEvent<Told>) => void this.#told(event.data);
    addEventListener('online', this.nudge);
  }

  /** Takes up what was left over, by this tab or another. */
  async start(): Promise<void> {
    await this.#read();
    this.nudge();
  }

  close(): void {
    removeEventListener('online', this.nudge);
    this.#stop.abort();
    this.#wait.abort();
    this.#tabs.close();
  }

  /** Keeps changes, then shows and sends them; returns their places. Fails if the browser refuses to keep them. */
  async add(changes: readonly Change[], at: string): Promise<readonly number[]> {
    const seqs = await this.#store.enqueue(changes, at);
    await this.#changed();
    this.nudge();
    return seqs;
  }

  /** Ends the matter of refused changes: others go out in their place, or none. */
  async settle(refused: readonly Refusal[], changes: readonly Change[], at: string): Promise<void> {
    await this.#store.settle(
      refused.map((r) => r.pending.seq),
      changes,
      at,
    );
    await this.#changed();
    this.nudge();
  }

  /** Tries again now rather than after the wait: the network seems to be back, or the user is. */
  readonly nudge = (): void => {
    this.#again = true;
    this.#wait.abort();
    void this.#send();
  };

  async #told(told: Told): Promise<void> {
    switch (told.kind) {
      case 'answered':
        this.#hears.acknowledged(told.answer, false);
        this.#gone(told.answer.pending.seq);
        return;
      case 'trouble':
        this.#hears.trouble(told.trouble);
        return;
      case 'changed':
        await this.#read();
        this.nudge();
    }
  }

  #tell(told: Told): void {
    if (!this.#stop.signal.aborted) this.#tabs.postMessage(told);
  }

  async #read(): Promise<void> {
    const { pending, refused } = await this.#store.queue();
    this.#refused = refused;
    this.#show(pending);
  }

  /** Shows the queue, without what has been answered since it was read. */
  #show(pending: readonly Pending[]): void {
    this.#pending = pending.filter((p) => !this.#done.has(p.seq));
    if (!this.#stop.signal.aborted) this.#hears.queue(this.#pending, this.#refused);
  }

  #gone(seq: number): void {
    this.#done.add(seq);
    this.#show(this.#pending);
  }

  async #changed(): Promise<void> {
    await this.#read();
    this.#tell({ kind: 'changed' });
  }

  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      while (this.#again && !this.#stop.signal.aborted) {
        this.#again = false;
        await inTurn(this.#store, this.#name, this.#stop.signal, (still) => this.#drain(still));
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    } finally {
      this.#sending = false;
    }
  }

  /** Sends from the queue on disk until it is empty, or it is another tab's turn. */
  async #drain(still: Still): Promise<void> {
    for (let tries = 0; await still();) {
      const next = await this.#store.first();
      if (!next) break;
      try {
        const sent = await send(next, this.#editing(), this.#stop.signal);
        await this.#answered({ pending: await this.#latest(next), ...sent });
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        const trouble = troubleOf(error);
        if (trouble && !(await this.#isStuck(error, tries))) {
          this.#trouble(trouble);
          if (await this.#pause(waitAfter(error, tries))) tries++;
          continue;
        }
        await this.#refuse(await this.#latest(next), error);
      }
      this.#trouble(undefined);
      tries = 0;
    }
  }

  /** Whether it is the change on which the server fails, and not the server as a whole: that still answers a read. */
  async #isStuck(error: unknown, tries: number): Promise<boolean> {
    if (tries < enough || !failedOn(error)) return false;
    try {
      await call('get', '/api/tasks', { query: { limit: '1' }, user: this.#user, signal: this.#stop.signal });
      return true;
    } catch {
      return false;
    }
  }

  #trouble(trouble: Trouble | undefined): void {
    this.#hears.trouble(trouble);
    this.#tell({ kind: 'trouble', trouble });
  }

  #editing(): Editing {
    return {
      user: this.#user,
      known: (id) => this.#hears.known(id),
      rewrite: async (pending) => {
        await this.#store.rewrite(pending);
        await this.#changed();
      },
    };
  }

  /** A change as it is by now: on its way it may have been merged with another's. */
  async #latest(sent: Pending): Promise<Pending> {
    const first = await this.#store.first();
    return first?.seq === sent.seq ? first : sent;
  }

  async #answered(answer: Acknowledged): Promise<void> {
    this.#hears.acknowledged(answer, true);
    await this.#store.dequeue(answer.pending.seq);
    this.#gone(answer.pending.seq);
    this.#tell({ kind: 'answered', answer });
  }

  /**
   * Takes a change out of the queue. What was to be done with the task after its creation, or after a change of which
   * nobody knows whether it was made, goes with it: the order within a task stays.
   */
  async #refuse(pending: Pending, error: unknown): Promise<void> {
    const title = this.#hears.title(pending.change.id);
    const refusals = [refusalOf(pending, title, error)];
    const behind = failedOn(error) ? 'behind' : pending.change.kind === 'create' ? 'not_created' : undefined;
    if (behind) {
      const after = (await this.#store.queue()).pending.filter(
        (p) => p.seq !== pending.seq && p.change.id === pending.change.id,
      );
      for (const p of after)
        refusals.push({ pending: p, title, status: 0, code: behind, message: '', fields: [] });
    }
    await this.#store.refuse(refusals);
    await this.#changed();
  }

  /** Waits; false if a nudge has cut it short. */
  async #pause(milliseconds: number): Promise<boolean> {
    const wait = (this.#wait = new AbortController());
    await pause(milliseconds, AbortSignal.any([wait.signal, this.#stop.signal]));
    return !wait.signal.aborted;
  }
}

/** Why a change has to wait; undefined if it is refused. What is neither is a failure of the browser's storage. */
function troubleOf(error: unknown): Trouble | undefined {
  if (error instanceof TextConflict) return undefined;
  if (error instanceof Unreachable) return 'unreachable';
  if (!(error instanceof Problem)) throw error;
  if (error.status === 401) return 'signed-out';
  return error.passing ? 'failing' : undefined;
}

/** The server failed while it made the change. 502 to 504 say that it was not there or busy, whatever the change. */
function failedOn(error: unknown): boolean {
  return error instanceof Problem && error.status === 500;
}

function waitAfter(error: unknown, tries: number): number {
  const wait = backoff[Math.min(tries, backoff.length - 1)] ?? 0;
  const asked = error instanceof Problem ? (error.retryAfter ?? 0) * 1_000 : 0;
  return Math.max(wait, Math.min(asked, patience));
}

function refusalOf(pending: Pending, title: string, error: unknown): Refusal {
  if (error instanceof Problem) {
    const { status, message, fields } = error;
    const code = failedOn(error) ? 'failed' : error.code;
    return { pending, title, status, code, message, fields: [...fields] };
  }
  return { pending, title, status: 0, code: 'text_conflict', message: '', fields: [] };
}
