import type { PushMessage } from '../notifications/message';

/** What was chosen on a notification. Sending it twice is the same as sending it once. */
export type Choice =
  | { kind: 'done'; about: PushMessage }
  /** `until`: RFC 3339, UTC, whole seconds. */
  | { kind: 'snooze'; about: PushMessage; until: string };

/** What became of a choice: `later` stays in the queue. */
export type Outcome =
  | { state: 'sent' }
  | { state: 'later'; signedOut: boolean }
  /** The moment to be reminded again came before the snooze could be sent. */
  | { state: 'passed' }
  | { state: 'refused'; why: string };

/** Sends one choice with the session cookie. Waits again where the server does not answer or cannot. */
export async function send(choice: Choice, now: number): Promise<Outcome> {
  if (choice.kind === 'snooze' && Date.parse(choice.until) <= now) return { state: 'passed' };
  try {
    const answer = await post(choice);
    if (answer.ok) {
      if (choice.kind === 'done') await markRead(choice.about); // a snooze does so by itself
      return { state: 'sent' };
    }
    if (answer.status === 401) return { state: 'later', signedOut: true };
    if (answer.status >= 500 || answer.status === 408 || answer.status === 429)
      return { state: 'later', signedOut: false };
    const problem = (await answer.json().catch(() => ({}))) as { detail?: string };
    return { state: 'refused', why: problem.detail ?? `status ${answer.status}` };
  } catch {
    return { state: 'later', signedOut: false };
  }
}

/** Marks the entry in the inbox as read, where that is possible now: it is no loss if not. */
export async function markRead({ notification_id }: PushMessage): Promise<void> {
  await fetch(`/api/notifications/${notification_id}/read`, { method: 'POST' }).catch(() => undefined);
}

function post(choice: Choice): Promise<Response> {
  const { notification_id, task_id } = choice.about;
  if (choice.kind === 'done') return fetch(`/api/tasks/${task_id}/complete`, { method: 'POST' });
  return fetch(`/api/notifications/${notification_id}/snooze`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ until: choice.until }),
  });
}

/** The choices that wait for the network, on disk, oldest first. */
export class Choices {
  readonly #db: IDBDatabase;

  private constructor(db: IDBDatabase) {
    this.#db = db;
  }

  static async open(): Promise<Choices> {
    const request = indexedDB.open('docket-choices', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('choices', { autoIncrement: true });
    return new Choices(await done(request));
  }

  close(): void {
    this.#db.close();
  }

  async add(choice: Choice): Promise<void> {
    await this.#write((store) => store.add(choice));
  }

  /**
   * Sends what waits, in order, until one has to wait longer; returns whether any does. `told` hears of each choice that
   * was not simply sent.
   */
  async flush(
    now: () => number,
    told: (choice: Choice, outcome: Outcome) => Promise<void>,
  ): Promise<boolean> {
    for (;;) {
      const next = await this.#first();
      if (!next) return false;
      const outcome = await send(next.choice, now());
      if (outcome.state !== 'sent') await told(next.choice, outcome);
      if (outcome.state === 'later') return true;
      await this.#write((store) => store.delete(next.key));
    }
  }

  async #first(): Promise<{ key: IDBValidKey; choice: Choice } | undefined> {
    const cursor = await done(this.#db.transaction('choices').objectStore('choices').openCursor());
    return cursor ? { key: cursor.key, choice: cursor.value as Choice } : undefined;
  }

  #write(change: (store: IDBObjectStore) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const tx = this.#db.transaction('choices', 'readwrite');
      tx.oncomplete = () => resolve();
      tx.onabort = () => reject(tx.error ?? new Error('not stored'));
      change(tx.objectStore('choices'));
    });
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the storage did not open'));
  });
}
