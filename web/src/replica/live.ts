/**
 * Changes made anywhere, as they happen: the WebSocket /ws (api/asyncapi.yaml), resumed from the replica's version
 * whenever it breaks, and the hook that keeps it open while a component is there.
 *
 * [Task]: T068, T069
 */
import { useEffect } from 'react';
import type { Replica } from './store';
import type { Message, Status } from './types';

/** What a connection tells its owner. */
interface Hears {
  message: (m: Message) => void;
  state: (s: Status['live']) => void;
  /** The version to resume from; undefined as long as there is none. */
  since: () => number | undefined;
}

/** Waits before connecting again, in milliseconds; the last one again and again. Each is shortened by up to half. */
const backoff = [250, 1_000, 2_000, 5_000, 15_000];

/** Keeps a WebSocket open until it is closed. */
export class Live {
  readonly #hears: Hears;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;

  constructor(hears: Hears) {
    this.#hears = hears;
  }

  open(): void {
    this.close();
    const since = this.#hears.since();
    if (since === undefined) return;
    this.#hears.state('connecting');
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws?since=${since}`);
    socket.onmessage = (event: MessageEvent<string>) => {
      if (socket !== this.#socket) return;
      const message = JSON.parse(event.data) as Message;
      if (message.type === 'hello') {
        this.#tries = 0;
        this.#hears.state('open');
      }
      this.#hears.message(message);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#again();
    };
    this.#socket = socket;
  }

  close(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #again(): void {
    this.#socket = undefined;
    this.#hears.state('closed');
    const wait = backoff[Math.min(this.#tries++, backoff.length - 1)] ?? 0;
    this.#timer = setTimeout(() => this.open(), wait * (1 - Math.random() / 2));
  }
}

/** Follows the replica's list while the component is there: after a network change or a sleep it connects anew. */
export function useRealtimeUpdates(replica: Replica): void {
  useEffect(() => {
    const wake = () => {
      if (document.visibilityState === 'visible' && replica.getSnapshot().status.live === 'closed')
        replica.connect();
    };
    const online = () => replica.connect();
    replica.connect();
    addEventListener('online', online);
    document.addEventListener('visibilitychange', wake);
    return () => {
      removeEventListener('online', online);
      document.removeEventListener('visibilitychange', wake);
      replica.disconnect();
    };
  }, [replica]);
}
