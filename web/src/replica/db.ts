import { newKey } from './taskid';
import type { Step } from './steps';
import type { Change, Known, Pending, Refusal } from './types';

/**
 * The form of what is stored. 2: refused changes are kept, and leases. 3: what can be taken back. A newer form
 * converts what the user wrote (outbox, refused) and may drop the base, which is loaded anew.
 */
const form = 3;

/** How many tasks are copied to the disk between two frames: a few milliseconds' worth. */
const slice = 50;

/** Who has something to do alone, and until when (milliseconds since 1970). */
interface Lease {
  holder: string;
  until: number;
}

/** Steps to keep, and the ids of those to forget. */
interface StepsChange {
  put: readonly Step[];
  remove: readonly string[];
}

/**
 * What a browser keeps of one user: the base as of a list version, the outbox, and what the server refused. Each
 * user has a database of their own, so nobody's changes are ever sent in another's name.
 */
export class Store {
  readonly #db: IDBDatabase;
  readonly #holder = newKey();

  private constructor(db: IDBDatabase) {
    this.#db = db;
  }

  static async open(user: string): Promise<Store> {
    const request = indexedDB.open(nameOf(user), form);
    request.onupgradeneeded = ({ oldVersion }) => {
      const db = request.result;
      if (oldVersion < 1) {
        db.createObjectStore('tasks', { keyPath: 'task.id' });
        db.createObjectStore('meta');
        db.createObjectStore('outbox', { keyPath: 'seq', autoIncrement: true });
      }
      if (oldVersion < 2) {
        db.createObjectStore('refused', { keyPath: 'pending.seq' });
        db.createObjectStore('leases');
      }
      if (oldVersion < 3) db.createObjectStore('steps', { keyPath: 'id' });
    };
    const db = await done(request);
    db.onversionchange = () => db.close(); // a newer client in another tab converts, or the user signs out there
    return new Store(db);
  }

  close(): void {
    this.#db.close();
  }

  // --- the base

  /** The kept base; version -1 is none. */
  async base(): Promise<{ known: Known[]; version: number }> {
    const tx = this.#db.transaction(['tasks', 'meta']);
    const [known, version] = await Promise.all([
      done(tx.objectStore('tasks').getAll() as IDBRequest<Known[]>),
      done(tx.objectStore('meta').get('version') as IDBRequest<number | undefined>),
    ]);
    return { known, version: version ?? -1 };
  }

  /**
   * Keeps what changed together with the version it makes: all of it or nothing. It is handed over in slices, between
   * which the page draws: to copy ten thousand tasks in one go holds it up for a quarter of a second.
   */
  async keep(
    changed: readonly { id: string; known: Known | undefined }[],
    version: number,
    whole: boolean,
  ): Promise<void> {
    const tx = this.#db.transaction(['tasks', 'meta'], 'readwrite', { durability: 'relaxed' });
    const tasks = tx.objectStore('tasks');
    const write = ({ id, known }: (typeof changed)[number]): IDBRequest =>
      known ? tasks.put(known) : tasks.delete(id);
    try {
      if (whole) tasks.clear();
      for (let from = 0; from < changed.length; from += slice) {
        const last = changed
          .slice(from, from + slice)
          .map(write)
          .at(-1);
        if (last) await done(last); // the transaction stays open until its last answer has been heard
      }
      tx.objectStore('meta').put(version, 'version');
    } catch (error) {
      abort(tx); // what was written so far would be committed otherwise
      throw error;
    }
    await committed(tx);
  }

  /** Forgets the base, and the whole database if nothing that the user wrote is left in it. Closes the store. */
  async forget(user: string, gone = false): Promise<void> {
    const tx = this.#db.transaction(['tasks', 'meta', 'steps', 'outbox', 'refused'], 'readwrite');
    for (const name of ['tasks', 'meta', 'steps']) tx.objectStore(name).clear();
    const [waiting, refused] = await Promise.all([
      done(tx.objectStore('outbox').count()),
      done(tx.objectStore('refused').count()),
    ]);
    await committed(tx);
    this.#db.close();
    if (gone || waiting + refused === 0) await done(indexedDB.deleteDatabase(nameOf(user)));
  }

  // --- the outbox

  /** The outbox, oldest first, and what was refused, of all tabs and at one moment. */
  async queue(): Promise<{ pending: Pending[]; refused: Refusal[] }> {
    const tx = this.#db.transaction(['outbox', 'refused']);
    const [pending, refused] = await Promise.all([
      done(tx.objectStore('outbox').getAll() as IDBRequest<Pending[]>),
      done(tx.objectStore('refused').getAll() as IDBRequest<Refusal[]>),
    ]);
    return { pending, refused };
  }

  /** The oldest change in the outbox. */
  async first(): Promise<Pending | undefined> {
    const request = this.#db.transaction('outbox').objectStore('outbox').getAll(null, 1);
    return (await done(request as IDBRequest<Pending[]>))[0];
  }

  /** Keeps changes; when it answers they are on disk, in the order given, at these places. */
  async enqueue(changes: readonly Change[], at: string): Promise<number[]> {
    const tx = this.#db.transaction('outbox', 'readwrite', { durability: 'strict' });
    const outbox = tx.objectStore('outbox');
    const seqs = Promise.all(changes.map((change) => done(outbox.add({ change, at }) as IDBRequest<number>)));
    await Promise.all([seqs, committed(tx)]);
    return seqs;
  }

  /** Replaces a change in its place, if it is still there. */
  async rewrite(pending: Pending): Promise<void> {
    const tx = this.#db.transaction('outbox', 'readwrite', { durability: 'strict' });
    const outbox = tx.objectStore('outbox');
    if (await done(outbox.getKey(pending.seq))) outbox.put(pending);
    await committed(tx);
  }

  /** Forgets a change that the server has answered. */
  async dequeue(seq: number): Promise<void> {
    const tx = this.#db.transaction('outbox', 'readwrite');
    tx.objectStore('outbox').delete(seq);
    await committed(tx);
  }

  // --- what was refused

  /** Moves changes from the outbox to the refused ones. */
  async refuse(refusals: readonly Refusal[]): Promise<void> {
    const tx = this.#db.transaction(['outbox', 'refused'], 'readwrite', { durability: 'strict' });
    for (const refusal of refusals) {
      tx.objectStore('outbox').delete(refusal.pending.seq);
      tx.objectStore('refused').put(refusal);
    }
    await committed(tx);
  }

  /** Takes refused changes away, and puts others at the end of the outbox; both or neither. */
  async settle(seqs: readonly number[], changes: readonly Change[], at: string): Promise<void> {
    const tx = this.#db.transaction(['outbox', 'refused'], 'readwrite', { durability: 'strict' });
    for (const seq of seqs) tx.objectStore('refused').delete(seq);
    for (const change of changes) tx.objectStore('outbox').add({ change, at });
    await committed(tx);
  }

  // --- what can be taken back

  /** Takes steps over: changes them by what all of them are, before another tab sees them. Answers with those put. */
  async claimSteps(claim: (all: readonly Step[]) => StepsChange): Promise<readonly Step[]> {
    const tx = this.#db.transaction('steps', 'readwrite');
    const change = claim(await done(tx.objectStore('steps').getAll() as IDBRequest<Step[]>));
    await changed(tx, change);
    return change.put;
  }

  async changeSteps(change: StepsChange): Promise<void> {
    await changed(this.#db.transaction('steps', 'readwrite', { durability: 'relaxed' }), change);
  }

  // --- leases, for browsers without locks

  /** Takes or renews a lease for some milliseconds from now; false while another tab holds it. */
  async lease(name: string, now: number, lasts: number): Promise<boolean> {
    const tx = this.#db.transaction('leases', 'readwrite');
    const leases = tx.objectStore('leases');
    const held = await done(leases.get(name) as IDBRequest<Lease | undefined>);
    const free = !held || held.until <= now || held.holder === this.#holder;
    if (free) leases.put({ holder: this.#holder, until: now + lasts } satisfies Lease, name);
    await committed(tx);
    return free;
  }

  async release(name: string): Promise<void> {
    const tx = this.#db.transaction('leases', 'readwrite');
    const leases = tx.objectStore('leases');
    const held = await done(leases.get(name) as IDBRequest<Lease | undefined>);
    if (held?.holder === this.#holder) leases.delete(name);
    await committed(tx);
  }
}

function nameOf(user: string): string {
  return `docket-${user}`;
}

/** What a request answers. Where the whole transaction has failed, the reason is its own, not that this request was dropped. */
function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () =>
      reject(request.transaction?.error ?? request.error ?? new Error('storage failed'));
  });
}

/** Takes back what a transaction has written; one of which a write has failed has done so by itself. */
function abort(tx: IDBTransaction): void {
  try {
    tx.abort();
  } catch (error) {
    if (!(error instanceof DOMException && error.name === 'InvalidStateError')) throw error;
  }
}

function committed(tx: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve();
    tx.onabort = () => reject(tx.error ?? new Error('storage refused to commit'));
  });
}

function changed(tx: IDBTransaction, { put, remove }: StepsChange): Promise<void> {
  const steps = tx.objectStore('steps');
  for (const id of remove) steps.delete(id);
  for (const step of put) steps.put(step);
  tx.commit(); // without waiting for the answers: the page may be about to go
  return committed(tx);
}
