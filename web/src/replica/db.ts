import type { Change, Known, Pending } from './types';

/** The form of what is stored. A newer one drops the base, which is loaded anew, and converts the outbox. */
const form = 1;

/**
 * What a browser keeps of one user: the base as of a list version, and the outbox. Each user has a database of
 * their own, so nobody's changes are ever sent in another's name.
 */
export class Store {
  readonly #db: IDBDatabase;

  private constructor(db: IDBDatabase) {
    this.#db = db;
  }

  static async open(user: string): Promise<Store> {
    const request = indexedDB.open(`docket-${user}`, form);
    request.onupgradeneeded = () => {
      const db = request.result;
      db.createObjectStore('tasks', { keyPath: 'task.id' });
      db.createObjectStore('meta');
      db.createObjectStore('outbox', { keyPath: 'seq', autoIncrement: true });
    };
    const db = await done(request);
    db.onversionchange = () => db.close(); // a newer client in another tab: let it convert
    return new Store(db);
  }

  close(): void {
    this.#db.close();
  }

  /** The kept base; version -1 is none. */
  async base(): Promise<{ known: Known[]; version: number }> {
    const tx = this.#db.transaction(['tasks', 'meta']);
    const [known, version] = await Promise.all([
      done(tx.objectStore('tasks').getAll() as IDBRequest<Known[]>),
      done(tx.objectStore('meta').get('version') as IDBRequest<number | undefined>),
    ]);
    return { known, version: version ?? -1 };
  }

  /** Keeps what changed together with the version it makes: all of it or nothing. */
  async keep(
    changed: readonly { id: string; known: Known | undefined }[],
    version: number,
    whole: boolean,
  ): Promise<void> {
    const tx = this.#db.transaction(['tasks', 'meta'], 'readwrite', { durability: 'relaxed' });
    const tasks = tx.objectStore('tasks');
    if (whole) tasks.clear();
    for (const { id, known } of changed) {
      if (known) tasks.put(known);
      else tasks.delete(id);
    }
    tx.objectStore('meta').put(version, 'version');
    await committed(tx);
  }

  /** The outbox, oldest first, of all tabs. */
  async outbox(): Promise<Pending[]> {
    return done(this.#db.transaction('outbox').objectStore('outbox').getAll() as IDBRequest<Pending[]>);
  }

  /** Keeps changes; when it answers they are on disk, in the order given. */
  async enqueue(changes: readonly Change[], at: string): Promise<Pending[]> {
    const tx = this.#db.transaction('outbox', 'readwrite', { durability: 'strict' });
    const kept = changes.map((change) => ({ change, request: tx.objectStore('outbox').add({ change, at }) }));
    await committed(tx);
    return kept.map(({ change, request }) => ({ seq: request.result as number, change, at }));
  }

  /** Forgets a change that the server has answered. */
  async dequeue(seq: number): Promise<void> {
    const tx = this.#db.transaction('outbox', 'readwrite');
    tx.objectStore('outbox').delete(seq);
    await committed(tx);
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('storage failed'));
  });
}

function committed(tx: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve();
    tx.onabort = () => reject(tx.error ?? new Error('storage refused to commit'));
  });
}
