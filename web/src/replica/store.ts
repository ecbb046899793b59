/**
 * The replica: every task of the user that is not deleted, in the browser. What shows is what the server said (base)
 * with the user's own unacknowledged changes on top (outbox); nothing waits for the network, and nothing is lost with
 * the tab. See web/README.md for the flow.
 *
 * [Task]: T061, T068
 */
import { createContext, use, useSyncExternalStore } from 'react';
import { call } from '../api/client';
import type { Owner } from './apply';
import { Base } from './base';
import { Store } from './db';
import { Keeper } from './keeper';
import { Live } from './live';
import { loadAll } from './load';
import { Outbox, type Acknowledged } from './outbox';
import { Steps, type Step } from './steps';
import { openTabs, thisTab } from './tab';
import { keyedTaskId, newKey } from './taskid';
import { pause } from './turn';
import type {
  Change,
  Made,
  Meeting,
  Message,
  NewTask,
  Pending,
  Refusal,
  ReminderDue,
  Snapshot,
  Status,
  Task,
  Texts,
} from './types';
import { inverseOf } from './undo';
import { View } from './view';

export class Replica {
  readonly owner: Owner;
  /** What can be taken back in this tab. */
  readonly steps: Steps;
  readonly #store: Store;
  readonly #base = new Base();
  readonly #view: View;
  readonly #outbox: Outbox;
  readonly #keeper: Keeper;
  readonly #live: Live;
  readonly #stop = new AbortController();
  readonly #subscribers = new Set<() => void>();
  readonly #heard = {
    step: new Set<(s: Step) => void>(),
    met: new Set<(m: Meeting) => void>(),
    unkept: new Set<() => void>(),
    reminder: new Set<(r: ReminderDue) => void>(),
    filters: new Set<(version: number) => void>(),
  };
  #pending: readonly Pending[] = [];
  #refused: readonly Refusal[] = [];
  #status: Status = { load: 'empty', live: 'connecting', waiting: 0, trouble: undefined };
  #snapshot: Snapshot = { tasks: new Map(), pending: [], refused: [], status: this.#status };
  #loading: Promise<void> | undefined;
  #resets = 0;
  #making: Promise<unknown> = Promise.resolve();

  private constructor(store: Store, steps: Steps, owner: Owner) {
    this.owner = owner;
    this.steps = steps;
    this.#store = store;
    this.#view = new View(this.#base, owner);
    this.#keeper = new Keeper(store, this.#base, () => this.#status.load === 'complete' && !this.#loading);
    this.#outbox = new Outbox(store, owner.id, {
      queue: (pending, refused) => this.#queued(pending, refused),
      acknowledged: (answer, here) => this.#acknowledged(answer, here),
      trouble: (trouble) => this.#show({ trouble }),
      known: (id) => this.#base.get(id),
      title: (id) => this.#snapshot.tasks.get(id)?.title ?? '',
    });
    this.#live = new Live({
      list: owner.id, // today a list bears its owner's id
      message: (m) => this.#hear(m),
      state: (live) => this.#show({ live }),
      since: () => (this.#base.version < 0 ? undefined : this.#base.version),
      head: async (signal) =>
        (await call('get', '/api/tasks', { query: { limit: '1' }, user: owner.id, signal })).listVersion ?? 0,
    });
  }

  /** Opens a user's replica with what this browser kept. Nothing is asked of the server before it is connected. */
  static async open(owner: Owner): Promise<Replica> {
    const [store, tab] = await Promise.all([Store.open(owner.id), thisTab()]);
    const [steps, kept] = await Promise.all([
      openTabs().then((isOpen) => Steps.open(store, tab, isOpen, Date.now())),
      store.base(),
    ]);
    const replica = new Replica(store, steps, owner);
    replica.#base.fill(kept.known, kept.version);
    if (kept.version >= 0) replica.#status = { ...replica.#status, load: 'complete' };
    await replica.#outbox.start();
    void replica.#keeper.run(owner.id, replica.#stop.signal);
    return replica;
  }

  close(): void {
    this.#stop.abort();
    this.#live.close();
    this.#outbox.close();
    this.#store.close();
  }

  /**
   * Closes, and forgets what this browser keeps of the user; also changes that have not reached the server only where they
   * never will, since the account is `gone`.
   */
  async forget(gone = false): Promise<void> {
    this.#stop.abort();
    this.#live.close();
    this.#outbox.close();
    await this.#store.forget(this.owner.id, gone);
  }

  // --- what a component asks

  readonly subscribe = (tell: () => void): (() => void) => listen(this.#subscribers, tell);

  readonly getSnapshot = (): Snapshot => this.#snapshot;

  /** The list version that the replica has caught up with; -1 before the first load. */
  get version(): number {
    return this.#base.version;
  }

  /** Tells of what the user makes here and can take back, once it is kept. Like all of these it returns the way to stop. */
  onStep(tell: (s: Step) => void): () => void {
    return listen(this.#heard.step, tell);
  }

  /** Tells of each edit that has met another's edit of the same text. */
  onMeeting(tell: (m: Meeting) => void): () => void {
    return listen(this.#heard.met, tell);
  }

  /** Tells that the browser could not keep a change, which was not made. */
  onUnkept(tell: () => void): () => void {
    return listen(this.#heard.unkept, tell);
  }

  /** Tells of each reminder whose moment comes while the page is open. */
  onReminder(tell: (r: ReminderDue) => void): () => void {
    return listen(this.#heard.reminder, tell);
  }

  /** Tells which version of the saved filters the server has, whenever it says so. */
  onFilters(tell: (version: number) => void): () => void {
    return listen(this.#heard.filters, tell);
  }

  // --- what a user does

  /**
   * Makes changes: kept on disk, shown, then sent. Fails, changing nothing, if the browser cannot keep them. An edit
   * of a title or description may name the text it began from; without, it is the text that shows now.
   */
  async change(...changes: Change[]): Promise<void> {
    const made = await this.#make(changes);
    if (made.inverse.length === 0) return;
    const step = this.steps.push(made, Date.now());
    this.#refused.forEach((refusal) => this.steps.refused(refusal.pending));
    this.#heard.step.forEach((tell) => tell(step));
  }

  /** Adds a task and returns its id, which it keeps. */
  async create(body: NewTask): Promise<string> {
    const key = newKey();
    const id = keyedTaskId(this.owner.id, key);
    await this.change({ kind: 'create', id, key, body });
    return id;
  }

  /** Takes back what was made; others may have changed the same tasks since. Answers with what it made by that. */
  async undo(made: Made): Promise<Made> {
    return this.#make(made.inverse);
  }

  /** Ends the matter of refused changes: other changes are made in their place, or none. */
  async settle(refused: readonly Refusal[], changes: readonly Change[] = []): Promise<void> {
    await this.#outbox.settle(refused, changes, new Date().toISOString());
  }

  /** One after the other: what takes a change back is computed from what showed just before it. */
  #make(changes: readonly Change[]): Promise<Made> {
    const made = this.#making.then(() => this.#makeNow(changes));
    this.#making = made.catch(() => undefined);
    return made;
  }

  async #makeNow(changes: readonly Change[]): Promise<Made> {
    if (changes.length === 0) return { changes, inverse: [], title: undefined, seqs: [] };
    const at = new Date().toISOString();
    const view = this.#view.tasks;
    const full = changes.map((change) => fromView(change, view));
    const inverse = inverseOf(full, view, at, this.owner);
    const seqs = await this.#outbox.add(full, at).catch((error: unknown) => {
      this.#heard.unkept.forEach((tell) => tell());
      throw error;
    });
    const [first] = full;
    const one = first && full.every((change) => change.id === first.id);
    const name = one && (view.get(first.id) ?? this.#view.tasks.get(first.id))?.title;
    return { changes: full, inverse, title: name ? name : undefined, seqs };
  }

  #queued(pending: readonly Pending[], refused: readonly Refusal[]): void {
    this.#pending = pending;
    this.#refused = refused;
    this.#show({ waiting: pending.length });
    for (const refusal of refused) this.steps.refused(refusal.pending);
  }

  #acknowledged({ pending, task, listVersion }: Acknowledged, here: boolean): void {
    const asOf = listVersion ?? Math.max(0, this.#base.version);
    if (task && pending.change.kind !== 'delete') this.#base.put(task, asOf);
    else this.#base.remove(pending.change.id, asOf);
    this.#keeper.soon();
    if (here) for (const met of pending.meetings ?? []) this.#heard.met.forEach((tell) => tell(met));
  }

  // --- how it follows the server

  /** Connects anew, and sends what waits. Where this browser kept nothing, the first load begins. */
  connect(): void {
    if (this.#base.version < 0) void this.load();
    this.#live.open();
    this.#outbox.nudge();
  }

  /** The user is back at this tab: makes sure of the connection, and sends what waits. */
  wake(): void {
    this.#live.wake();
    if (this.#pending.length > 0) this.#outbox.nudge();
  }

  disconnect(): void {
    this.#live.close();
  }

  /** Loads everything anew. What was here stays shown meanwhile, and goes at the end if no page had it. */
  load(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
      this.#keeper.soon();
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
    for await (const page of loadAll(this.owner.id, this.#stop.signal)) {
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
        if (this.#pending.length > 0) this.#outbox.nudge(); // the server is there again
        this.#heard.filters.forEach((tell) => tell(message.filters_version));
        return;
      case 'filters':
        this.#heard.filters.forEach((tell) => tell(message.filters_version));
        return;
      case 'reminder':
        this.#heard.reminder.forEach((tell) => tell(message.reminder));
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
        this.#keeper.soon();
      }
    }
  }

  // --- how it shows

  #show(status: Partial<Status> = {}): void {
    const held = this.#snapshot;
    const fields = Object.keys(status) as (keyof Status)[];
    if (fields.some((field) => this.#status[field] !== status[field]))
      this.#status = { ...this.#status, ...status };
    this.#view.refresh(this.#pending, this.#base.takeTouched());
    const next = {
      tasks: this.#view.tasks,
      pending: this.#pending,
      refused: this.#refused,
      status: this.#status,
    };
    if ((Object.keys(next) as (keyof Snapshot)[]).every((part) => next[part] === held[part])) return;
    this.#snapshot = next;
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
}

function listen<T>(listeners: Set<T>, tell: T): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

/** An edit of texts with those that show now, unless it names others. A task not on the server yet has no other editors. */
function fromView(change: Change, view: ReadonlyMap<string, Task>): Change {
  const task = view.get(change.id);
  if (change.kind !== 'update' || change.from || !task || task.version === 0) return change;
  const from: Texts = {};
  if (change.patch.title !== undefined) from.title = task.title;
  if (change.patch.description !== undefined) from.description = task.description;
  return Object.keys(from).length > 0 ? { ...change, from } : change;
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

/** Where the replica stands; drawn again only when that changes, not with each task. */
export function useStatus(): Status {
  const replica = useReplica();
  return useSyncExternalStore(replica.subscribe, () => replica.getSnapshot().status);
}

/** What the server refused and the user has not settled yet. */
export function useRefused(): readonly Refusal[] {
  const replica = useReplica();
  return useSyncExternalStore(replica.subscribe, () => replica.getSnapshot().refused);
}

/** One task, undefined if there is none that is not deleted. */
export function useTask(id: string): Task | undefined {
  const replica = useReplica();
  return useSyncExternalStore(replica.subscribe, () => replica.getSnapshot().tasks.get(id));
}
