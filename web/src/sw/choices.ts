import type { PushMessage } from '../notifications/message';

/**
 * What was chosen on a notification, and when, in milliseconds since 1970, which earlier versions did not keep. Sending it
 * twice is the same as sending it once.
 */
export type Choice = { about: PushMessage; at?: number } & (
  | { kind: 'done' }
  /** `until`: RFC 3339, UTC, whole seconds. */
  | { kind: 'snooze'; until: string }
);

/** What became of a choice: `later` and `away` stay in the queue. */
export type Outcome =
  | { state: 'sent' }
  /** The server does not answer, or cannot. */
  | { state: 'later' }
  /** Who chose it is not signed in: nobody is, or an `other` user. */
  | { state: 'away'; other: boolean }
  /** The moment to be reminded again came before the snooze could be sent. */
  | { state: 'passed' }
  | { state: 'refused'; why: string };

/** How long a choice waits for its user to sign in again, in milliseconds: 30 days. They may never come back. */
const patience = 30 * 24 * 60 * 60_000;

/**
 * Sends one choice with the session cookie, for the user whose notification it was. Only an answer says who is signed in, so
 * that a snooze is sent even if its moment has passed: what is told of it is for nobody else.
 */
export async function send(choice: Choice, now: number): Promise<Outcome> {
  try {
    const answer = await post(choice);
    if (answer.ok) {
      if (choice.kind === 'done') await markRead(choice.about); // a snooze does so by itself
      return { state: 'sent' };
    }
    if (answer.status >= 500 || answer.status === 408 || answer.status === 429) return { state: 'later' };
    const problem = (await answer.json().catch(() => ({}))) as { code?: string; detail?: string };
    if (answer.status === 401) return { state: 'away', other: problem.code === 'other_user' };
    if (choice.kind === 'snooze' && Date.parse(choice.until) <= now) return { state: 'passed' };
    return { state: 'refused', why: problem.detail ?? `status ${answer.status}` };
  } catch {
    return { state: 'later' };
  }
}

/** Marks the entry in the inbox as read, where that is possible now: it is no loss if not. */
export async function markRead(about: PushMessage): Promise<void> {
  const headers = userOf(about);
  await fetch(`/api/notifications/${about.notification_id}/read`, { method: 'POST', headers }).catch(
    () => undefined,
  );
}

function post(choice: Choice): Promise<Response> {
  const { about } = choice;
  const headers = userOf(about);
  if (choice.kind === 'done')
    return fetch(`/api/tasks/${about.task_id}/complete`, { method: 'POST', headers });
  return fetch(`/api/notifications/${about.notification_id}/snooze`, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify({ until: choice.until }),
  });
}

/** The header by which the server refuses with 401 what is not for whoever is signed in. */
function userOf({ user_id }: PushMessage): Record<string, string> {
  return user_id === undefined ? {} : { 'Docket-User': user_id };
}

/** The choices that wait for the network or for their user, on disk, oldest first. */
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
   * Sends what waits, in order, until one has to wait for the network; returns whether any does. Those of a user who is not
   * signed in hold up nobody else's. `told` hears of each choice that was not simply sent.
   */
  async flush(
    now: () => number,
    told: (choice: Choice, outcome: Outcome) => Promise<void>,
  ): Promise<boolean> {
    const away = new Set<string | undefined>();
    for (let next = await this.#after(0); next; next = await this.#after(next.key)) {
      const { key, choice } = next;
      const { user_id: user } = choice.about;
      if (away.has(user)) continue;
      const outcome = await send(choice, now());
      if (outcome.state !== 'sent') await told(choice, outcome);
      if (outcome.state === 'later') return true;
      if (outcome.state === 'away' && now() < (choice.at ?? Infinity) + patience) away.add(user);
      else await this.#write((store) => store.delete(key));
    }
    return false;
  }

  /** The oldest choice after that key, which are numbers from 1. */
  async #after(key: number): Promise<{ key: number; choice: Choice } | undefined> {
    const store = this.#db.transaction('choices').objectStore('choices');
    const cursor = await done(store.openCursor(IDBKeyRange.lowerBound(key, true)));
    return cursor ? { key: cursor.key as number, choice: cursor.value as Choice } : undefined;
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
