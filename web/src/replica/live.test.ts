/**
 * The socket that breaks, that never greets, and that is dead without having been closed.
 *
 * [Task]: T068, T069
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Live } from './live';
import type { Message } from './types';

/** A socket as the browser gives it, worked by the test. */
class Socket {
  static readonly all: Socket[] = [];
  onmessage: ((event: { data: string }) => void) | undefined;
  onclose: (() => void) | undefined;
  closed = false;
  readonly url: string;

  constructor(url: string) {
    this.url = url;
    Socket.all.push(this);
  }

  static get last(): Socket {
    const last = Socket.all.at(-1);
    if (!last) throw new Error('no socket was opened');
    return last;
  }

  close(): void {
    this.closed = true;
  }

  breaks(): void {
    this.onclose?.();
  }

  hears(message: Message): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  greets(): void {
    this.hears({ type: 'hello', list_id: 'l', list_version: 3, filters_version: 0 });
  }
}

let live: Live;
let version: number;
let head: () => Promise<number>;
let asked: number;
const states: string[] = [];
const heard: Message[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', Socket);
  Socket.all.length = 0;
  states.length = 0;
  heard.length = 0;
  version = 3;
  asked = 0;
  head = () => Promise.resolve(3);
  live = new Live({
    list: 'l',
    message: (m) => heard.push(m),
    state: (s) => states.push(s),
    since: () => version,
    head: () => {
      asked++;
      return head();
    },
  });
  live.open();
});
afterEach(() => {
  live.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('a broken connection is made anew, from the version that is known then', async () => {
  Socket.last.greets();
  version = 9;
  Socket.last.breaks();
  await vi.advanceTimersByTimeAsync(250);
  expect(Socket.all.map((s) => s.url.replace(/.*\/ws/, ''))).toEqual(['?since=3', '?since=9']);
  expect(states).toEqual(['connecting', 'open', 'closed', 'connecting']);
  expect(asked).toBe(0);
});

test('a socket of another user brings nothing in, and the client asks who is signed in', async () => {
  Socket.last.hears({ type: 'hello', list_id: 'another', list_version: 7, filters_version: 0 });
  await vi.advanceTimersByTimeAsync(0);
  expect(heard).toEqual([]);
  expect(Socket.all[0]?.closed).toBe(true);
  expect(asked).toBe(1);
});

test('a refused handshake makes the client ask, so that it learns when it is signed out', async () => {
  Socket.last.breaks();
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toBe(1);
});

test('silence alone is no reason to connect anew: the server says that nothing happened', async () => {
  Socket.last.greets();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(asked).toBeGreaterThan(1);
  expect(Socket.all).toHaveLength(1);
});

test('a socket that did not bring what happened is dead, and another takes its place', async () => {
  Socket.last.greets();
  head = () => Promise.resolve(4);
  await vi.advanceTimersByTimeAsync(40_000);
  expect(Socket.all.length).toBeGreaterThan(1);
  expect(Socket.all[0]?.closed).toBe(true);
});

test('an update that comes a moment after the answer is in time', async () => {
  Socket.last.greets();
  head = () => {
    setTimeout(() => (version = 4), 500);
    return Promise.resolve(4);
  };
  await vi.advanceTimersByTimeAsync(40_000);
  expect(Socket.all).toHaveLength(1);
});

test('after a sleep the connection is made sure of at once', async () => {
  Socket.last.greets();
  vi.setSystemTime(Date.now() + 3_600_000); // timers slept too
  head = () => Promise.reject(new Error('no route'));
  live.wake();
  await vi.advanceTimersByTimeAsync(0);
  expect(Socket.all).toHaveLength(2);
});

test('a connection that never greets is given up', async () => {
  await vi.advanceTimersByTimeAsync(10_000);
  expect(Socket.all.length).toBeGreaterThan(1);
});

test('nothing is asked for while nobody looks', async () => {
  Socket.last.greets();
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
  await vi.advanceTimersByTimeAsync(120_000);
  expect(asked).toBe(0);
  vi.restoreAllMocks();
});
