/**
 * Changes made anywhere, as they happen: the WebSocket /ws (api/asyncapi.yaml), resumed from the replica's version
 * whenever it breaks, and the hook that keeps it open while a component is there. A socket may be dead without having
 * been closed, after a sleep or a change of networks: one that is silent is checked against the server's list version.
 *
 * [Task]: T068, T069
 */
import { useEffect } from 'react';
import type { Replica } from './store';
import type { Message, Status } from './types';

/** What a connection tells its owner, and asks. */
interface Hears {
  /** The list that is followed. */
  list: string;
  message: (m: Message) => void;
  state: (s: Status['live']) => void;
  /** The version to resume from; undefined as long as there is none. */
  since: () => number | undefined;
  /** Asks the server for its list version. */
  head: (signal: AbortSignal) => Promise<number>;
}

/** Waits before connecting again, in milliseconds; the last one again and again. Each is shortened by up to half. */
const backoff = [250, 1_000, 2_000, 5_000, 15_000];
/** How often the socket is looked at, in milliseconds. */
const looks = 5_000;
/** After how much silence a socket is checked; one that was just woken up is checked after less. */
const silence = 30_000;
const silenceWoken = 4_000;
/** How long a connection, and the answer about the list version, may take. */
const patience = 8_000;
/** How long an update may take to come after the server has told its version another way. */
const grace = 2_000;

/** Keeps a WebSocket open until it is closed. */
export class Live {
  readonly #hears: Hears;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #tries = 0;
  #greeted = false;
  /** When the socket was last known to work, or was opened: milliseconds since 1970. */
  #alive = 0;
  #checking = false;

  constructor(hears: Hears) {
    this.#hears = hears;
  }

  open(): void {
    this.close();
    const since = this.#hears.since();
    if (since === undefined) return;
    this.#hears.state('connecting');
    this.#greeted = false;
    this.#alive = Date.now();
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws?since=${since}`);
    socket.onmessage = (event: MessageEvent<string>) => {
      if (socket !== this.#socket) return;
      this.#alive = Date.now();
      const message = JSON.parse(event.data) as Message;
      if (message.type === 'hello' && message.list_id !== this.#hears.list) {
        this.#again(); // the browser is signed in as another user by now: nothing of theirs comes in here
        return;
      }
      if (message.type === 'hello') {
        this.#tries = 0;
        this.#greeted = true;
        this.#hears.state('open');
      }
      this.#hears.message(message);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#again();
    };
    this.#socket = socket;
    this.#watch = setInterval(() => this.#look(silence), looks);
  }

  close(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  /** The user or the machine is back: connects now rather than after the wait, or makes sure of the connection. */
  wake(): void {
    if (this.#socket) this.#look(silenceWoken);
    else this.open();
  }

  #look(longest: number): void {
    const silent = Date.now() - this.#alive;
    if (document.visibilityState === 'hidden') return; // nobody looks; it is checked when somebody does
    if (this.#greeted ? silent > longest : silent > patience) void this.#check();
  }

  /** Compares with the server, and connects anew if the socket did not bring what it should have. */
  async #check(): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    const socket = this.#socket;
    try {
      if (!this.#greeted) throw new Error('no greeting');
      const head = await this.#hears.head(AbortSignal.timeout(patience));
      const behind = () => (this.#hears.since() ?? 0) < head;
      if (behind()) await new Promise((resolve) => setTimeout(resolve, grace));
      if (behind()) throw new Error('the socket is dead');
      this.#alive = Date.now();
    } catch {
      if (socket === this.#socket) this.open();
    } finally {
      this.#checking = false;
    }
  }

  #again(): void {
    this.close();
    this.#hears.state('closed');
    // A refused handshake does not say why. Asking does: a 401 ends the session, as everywhere.
    if (!this.#greeted) this.#hears.head(AbortSignal.timeout(patience)).catch(() => undefined);
    const wait = backoff[Math.min(this.#tries++, backoff.length - 1)] ?? 0;
    this.#timer = setTimeout(() => this.open(), wait * (1 - Math.random() / 2));
  }
}

/** Follows the replica's list while the component is there: after a network change or a sleep it makes sure. */
export function useRealtimeUpdates(replica: Replica): void {
  useEffect(() => {
    const wake = () => {
      if (document.visibilityState === 'visible') replica.wake();
    };
    const online = () => replica.connect();
    const shown = (event: PageTransitionEvent) => {
      if (event.persisted) replica.connect();
    };
    replica.connect();
    addEventListener('online', online);
    addEventListener('pageshow', shown);
    addEventListener('focus', wake);
    document.addEventListener('visibilitychange', wake);
    return () => {
      removeEventListener('online', online);
      removeEventListener('pageshow', shown);
      removeEventListener('focus', wake);
      document.removeEventListener('visibilitychange', wake);
      replica.disconnect();
    };
  }, [replica]);
}
