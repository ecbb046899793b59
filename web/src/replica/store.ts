/**
 * The replica: every task of the user that is not deleted, in the browser. What shows is what the server said (base)
 * with the user's own unacknowledged changes on top (outbox); nothing waits for the network, and nothing is lost with
 * the tab. See web/README.md for the flow.
 *
 * [Task]: T061, T068
 */
import { createContext, use, useSyncExternalStore } from 'react';
import { applyAll, type Owner } from './apply';
import { Base } from './base';
import { Store } from './db';
import { Live } from './live';
import { loadAll } from './load';
import { Outbox } from './outbox';
import { keyedTaskId, newKey } from './taskid';
import type {
  Change,
  Known,
  Message,
  NewTask,
  Pending,
  Refusal,
  ReminderDue,
  Snapshot,
  Status,
  Task,
} from './types';

/** How long changes of the base are gathered before they are kept, in milliseconds. */
const keepAfter = 200;

export class Replica {
  readonly owner: Owner;
  readonly #store: Store;
  readonly #base = new Base();
  readonly #outbox: Outbox;
  readonly #live: Live;
  readonly #stop = new AbortController();
  readonly #subscribers = new Set<() => void>();
  readonly #refusals = new Set<(r: Refusal) => void>();
  readonly #reminders = new Set<(r: ReminderDue) => void>();
  #pending: readonly Pending[] = [];
  #status: Status = { load: 'empty', live: 'connecting', waiting: 0 };
  #snapshot: Snapshot = { tasks: new Map(), pending: [], status: this.#status };
  #loading: Promise<void> | undefined;
  #resets = 0;
  #keeps = false;
  #keepTimer: ReturnType<typeof setTimeout> | undefined;

  private constructor(store: Store, owner: Owner) {
    this.owner = owner;
    this.#store = store;
    this.#outbox = new Outbox(store, owner.id, {
      queue: (pending) => {
        this.#pending = pending;
        this.#show({ waiting: pending.length });
      },
      acknowledged: ({ pending, task, listVersion }) => {
        if (task) this.#base.put(task, listVersion);
        else this.#base.remove(pending.change.id, listVersion);
        this.#keepSoon();
      },
      refused: (refusal) => this.#refusals.forEach((tell) => tell(refusal)),
    });
    this.#live = new Live({
      message: (m) => this.#hear(m),
      state: (live) => this.#show({ live }),
      since: () => (this.#base.version < 0 ? undefined : this.#base.version),
    });
  }

  /** Opens a user's replica with what this browser kept; the first load, if there is none, begins by itself. */
  static async open(owner: Owner): Promise<Replica> {
    const store = await Store.open(owner.id);
    const replica = new Replica(store, owner);
    const kept = await store.base();
    replica.#base.fill(kept.known, kept.version);
    if (kept.version >= 0) replica.#status = { ...replica.#status, load: 'complete' };
    await replica.#outbox.start();
    replica.#keepWhileAlone();
    if (kept.version < 0) void replica.load();
    return replica;
  }

  close(): void {
    this.#stop.abort();
    clearTimeout(this.#keepTimer);
    this.#live.close();
    this.#outbox.close();
    this.#store.close();
  }

  // --- what a component asks

  readonly subscribe = (tell: () => void): (() => void) => {
    this.#subscribers.add(tell);
    return () => this.#subscribers.delete(tell);
  };

  readonly getSnapshot = (): Snapshot => this.#snapshot;

  /** The list version that the replica has caught up with; -1 before the first load. */
  get version(): number {
    return this.#base.version;
  }

  /** Tells of each change that the server refuses; returns the way to stop. */
  onRefusal(tell: (r: Refusal) => void): () => void {
    this.#refusals.add(tell);
    return () => this.#refusals.delete(tell);
  }

  /** Tells of each reminder whose moment comes while the page is open; returns the way to stop. */
  onReminder(tell: (r: ReminderDue) => void): () => void {
    this.#reminders.add(tell);
    return () => this.#reminders.delete(tell);
  }

  // --- what a user does

  /** Makes changes: kept on disk, shown, then sent. Fails, changing nothing, if the browser cannot keep them. */
  async change(...changes: Change[]): Promise<void> {
    await this.#outbox.add(changes, new Date().toISOString());
  }

  /** Adds a task and returns its id, which it keeps. */
  async create(body: NewTask): Promise<string> {
    const key = newKey();
    const id = keyedTaskId(this.owner.id, key);
    await this.change({ kind: 'create', id, key, body });
    return id;
  }

  // --- how it follows the server

  connect(): void {
    this.#live.open();
    this.#outbox.nudge();
  }

  disconnect(): void {
    this.#live.close();
  }

  /** Loads everything anew. What was here stays shown meanwhile, and goes at the end if no page had it. */
  load(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
      this.#keepSoon();
    });
    return this.#loading;
  }

  async #load(): Promise<void> {
    for (let tries = 0; !this.#stop.signal.aborted; tries++) {
      try {
        const resets = this.#resets;
        await this.#loadOnce();
        if (resets === this.#resets) return; // otherwise some pages are older than where the updates go on
      } catch {
        // Not reachable, signed out or overloaded: what is shown stays, and the next try begins anew.
        await pause(Math.min(15_000, 500 * 2 ** tries), this.#stop.signal);
      }
    }
  }

  async #loadOnce(): Promise<void> {
    let first = -1;
    for await (const page of loadAll(this.#stop.signal)) {
      for (const task of page.tasks) this.#base.put(task, page.listVersion);
      if (first < 0) {
        first = page.listVersion;
        if (this.#base.version < first) this.#base.version = first;
        this.connect();
      }
      this.#show({ load: this.#status.load === 'complete' ? 'complete' : 'partial' });
    }
    this.#base.sweep(first);
    this.#show({ load: 'complete' });
  }

  #hear(message: Message): void {
    switch (message.type) {
      case 'hello':
        return;
      case 'reminder':
        this.#reminders.forEach((tell) => tell(message.reminder));
        return;
      case 'reset':
        this.#resets++;
        this.#base.version = message.list_version;
        void this.load();
        return;
      case 'update': {
        const { task, task_id, list_version } = message.update;
        if (task) this.#base.put(task, list_version);
        else this.#base.remove(task_id, list_version);
        this.#base.version = Math.max(this.#base.version, list_version);
        this.#showSoon();
        this.#keepSoon();
      }
    }
  }

  // --- how it shows and keeps

  #show(status: Partial<Status> = {}): void {
    this.#status = { ...this.#status, ...status };
    const tasks = applyAll(tasksOf(this.#base.known()), this.#pending, this.owner);
    this.#snapshot = { tasks, pending: this.#pending, status: this.#status };
    this.#subscribers.forEach((tell) => tell());
  }

  #showing = false;

  /** Shows once for all messages that have arrived together: a burst must not cost a view each. */
  #showSoon(): void {
    if (this.#showing) return;
    this.#showing = true;
    queueMessageTask(() => {
      this.#showing = false;
      if (!this.#stop.signal.aborted) this.#show();
    });
  }

  /** One tab keeps the base on disk, so that no slower tab can put back what a faster one has replaced. */
  #keepWhileAlone(): void {
    const locks = (navigator as { locks?: LockManager }).locks;
    const closed = new Promise<void>((resolve) =>
      this.#stop.signal.addEventListener('abort', () => resolve()),
    );
    locks
      ?.request(`docket-base-${this.owner.id}`, { signal: this.#stop.signal }, async () => {
        this.#keeps = true;
        if (this.#whole) await this.#keep(true);
        await closed;
      })
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) throw error;
      });
  }

  /** Whether the base is all there is as of its version; while it is loaded, it is not. */
  get #whole(): boolean {
    return this.#status.load === 'complete' && !this.#loading;
  }

  #keepSoon(): void {
    if (!this.#keeps || !this.#whole) return;
    this.#keepTimer ??= setTimeout(() => {
      this.#keepTimer = undefined;
      void this.#keep(false);
    }, keepAfter);
  }

  async #keep(whole: boolean): Promise<void> {
    if (!this.#whole) return; // a load has begun since, and keeps at its end
    const changed = this.#base.takeDirty();
    const all = whole ? [...this.#base.known()].map((known) => ({ id: known.task.id, known })) : changed;
    try {
      await this.#store.keep(all, this.#base.version, whole);
    } catch {
      this.#keeps = false; // the disk is full or gone: what is kept stays as it was, and is caught up from there
    }
  }
}

function* tasksOf(known: Iterable<Known>): Generator<Task> {
  for (const { task } of known) yield task;
}

/** Runs work after what the browser has already queued, without the delay of a timer, also in a hidden tab. */
function queueMessageTask(work: () => void): void {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => {
    channel.port1.close();
    work();
  };
  channel.port2.postMessage(null);
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

const ReplicaContext = createContext<Replica | undefined>(undefined);
export const ReplicaProvider = ReplicaContext.Provider;

export function useReplica(): Replica {
  const replica = use(ReplicaContext);
  if (!replica) throw new Error('useReplica outside a ReplicaProvider');
  return replica;
}

/** What the user sees, now and after every change. */
export function useSnapshot(): Snapshot {
  const replica = useReplica();
  return useSyncExternalStore(replica.subscribe, replica.getSnapshot);
}
