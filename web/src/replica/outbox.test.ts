/**
 * The outbox against a server that refuses, fails, and does not answer; the disk is the truth at every moment.
 *
 * [Task]: T061
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Store } from './db';
import { Outbox, type Acknowledged } from './outbox';
import type { Change, Pending, Refusal, Task, Trouble } from './types';

type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | 'silence';

/** The network: what was asked, and what is answered. */
class Network {
  readonly calls: string[] = [];
  /** The headers and bodies, in the same order. */
  readonly sent: { headers: Headers; body: unknown }[] = [];
  answer: (method: string, path: string) => Answer | Promise<Answer> = () => ({
    status: 200,
    body: { version: 2 },
  });

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const method = init.method ?? '';
    this.calls.push(`${method} ${url}`);
    this.sent.push({
      headers: new Headers(init.headers),
      body: typeof init.body === 'string' ? JSON.parse(init.body) : undefined,
    });
    const answer = await this.answer(method, url);
    if (answer === 'silence') throw new TypeError('Failed to fetch');
    return new Response(answer.body === undefined ? null : JSON.stringify(answer.body), {
      status: answer.status,
      headers: { 'List-Version': '7', ...answer.headers },
    });
  };
}

/** One tab. */
class Tab {
  queue: readonly Pending[] = [];
  refused: readonly Refusal[] = [];
  readonly answers: Acknowledged[] = [];
  readonly troubles: (Trouble | undefined)[] = [];
  readonly known = new Map<string, Task>();
  readonly outbox: Outbox;
  #changed: () => void = () => undefined;

  readonly store: Store;

  private constructor(store: Store, user: string) {
    this.store = store;
    this.outbox = new Outbox(store, user, {
      queue: (queue, refused) => {
        this.queue = queue;
        this.refused = refused;
        this.#changed();
      },
      acknowledged: (a, here) => {
        if (here) this.answers.push(a);
        if (a.task) this.known.set(a.pending.change.id, a.task);
        this.#changed();
      },
      trouble: (t) => {
        if (this.troubles.at(-1) !== t) this.troubles.push(t);
        this.#changed();
      },
      known: (id) => this.known.get(id),
      title: (id) => this.known.get(id)?.title ?? '',
    });
  }

  static async open(user: string): Promise<Tab> {
    const tab = new Tab(await Store.open(user), user);
    await tab.outbox.start();
    open.push(tab);
    return tab;
  }

  /** Waits until something holds; each change of the tab is a moment to look. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => (this.#changed = resolve));
  }

  add(...changes: Change[]): Promise<void> {
    return this.outbox.add(changes, '2026-03-31T07:00:00.000Z').then(() => undefined);
  }

  close(): void {
    this.outbox.close();
    this.store.close();
  }

  /** Ends without giving back its turn, which runs out. */
  die(): void {
    this.close();
    vi.setSystemTime(Date.now() + 10_000);
  }
}

let network: Network;
let open: Tab[] = [];
let users = 0;
const newUser = (): string => `outbox-${++users}`;
const complete = (id: string): Change => ({ kind: 'complete', id });

beforeEach(() => {
  network = new Network();
  vi.stubGlobal('fetch', network.fetch);
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  for (const tab of open) tab.close();
  open = [];
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('changes go out one by one, in order, and leave the disk when they are answered', async () => {
  const tab = await Tab.open(newUser());
  await tab.add({ kind: 'create', id: 'a', key: 'k', body: { title: 'A' } }, complete('a'), {
    kind: 'delete',
    id: 'a',
  });
  await tab.until(() => tab.answers.length === 3 && tab.queue.length === 0);
  expect(network.calls).toEqual(['POST /api/tasks', 'POST /api/tasks/a/complete', 'DELETE /api/tasks/a']);
  expect(network.sent[0]?.headers.get('Idempotency-Key')).toBe('k');
  expect(await tab.store.queue()).toEqual({ pending: [], refused: [] });
});

describe('a crash', () => {
  test('after a change is kept and before it is sent: the next start sends it', async () => {
    const user = newUser();
    const store = await Store.open(user);
    await store.enqueue([complete('a')], 'then');
    store.close();
    const tab = await Tab.open(user);
    await tab.until(() => tab.answers.length === 1);
    expect(network.calls).toEqual(['POST /api/tasks/a/complete']);
  });

  test('after it is sent and before its answer: the next start sends it again, and it is answered once', async () => {
    const user = newUser();
    let asked: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => (asked = resolve));
    network.answer = () => {
      asked();
      return new Promise<Answer>(() => undefined);
    };
    const dead = await Tab.open(user);
    await dead.add({ kind: 'create', id: 'a', key: 'k', body: { title: 'A' } });
    await arrived;
    dead.die();
    network.answer = () => ({ status: 201, body: { id: 'a', version: 1 } });
    const tab = await Tab.open(user);
    await tab.until(() => tab.answers.length === 1 && tab.queue.length === 0);
    expect(network.sent.map((s) => s.headers.get('Idempotency-Key'))).toEqual(['k', 'k']);
  });

  test('between its merge with another’s text and its sending: what goes out is what was merged', async () => {
    const user = newUser();
    const tab = await Tab.open(user);
    tab.known.set('a', { id: 'a', title: 'A', description: 'one\ntwo', version: 4 } as Task);
    network.answer = (method) => (method === 'PATCH' ? 'silence' : { status: 200, body: {} });
    await tab.add({
      kind: 'update',
      id: 'a',
      patch: { description: 'two\nthree' },
      from: { description: 'two' },
    });
    await tab.until(() => tab.troubles.includes('unreachable'));
    tab.die();
    network.answer = () => ({ status: 200, body: { id: 'a', description: 'one\ntwo\nthree', version: 5 } });
    const next = await Tab.open(user);
    await next.until(() => next.answers.length === 1);
    // The first try had arrived, only its answer was lost: nothing is sent, and nothing is merged twice.
    expect(network.calls.slice(1)).toEqual(['GET /api/tasks/a']);
    expect(network.sent[0]?.body).toEqual({ description: 'one\ntwo\nthree' });
    expect(network.sent[0]?.headers.get('If-Match')).toBe('"4"');
    expect(next.answers[0]?.pending.meetings).toMatchObject([{ field: 'description', kept: 'merged' }]);
  });
});

describe('a server', () => {
  test.each<[string, Answer, Trouble]>([
    ['that does not answer', 'silence', 'unreachable'],
    ['that fails', { status: 500 }, 'failing'],
    ['that is busy', { status: 503, headers: { 'Retry-After': '0' } }, 'failing'],
    ['that does not know who is asking', { status: 401, body: { code: 'unauthorized' } }, 'signed-out'],
  ])('%s is asked again, and the order stays', async (_, answer, trouble) => {
    const tab = await Tab.open(newUser());
    let fails = 2;
    network.answer = () => (fails-- > 0 ? answer : { status: 200, body: { version: 2 } });
    await tab.add(complete('a'), complete('b'));
    await tab.until(() => tab.troubles.includes(trouble));
    expect(tab.queue).toHaveLength(2);
    tab.outbox.nudge(); // rather than wait
    await tab.until(() => tab.answers.length === 2 && tab.queue.length === 0);
    expect(network.calls.map((c) => c.split('/')[3])).toEqual(['a', 'a', 'a', 'b']);
    expect(tab.troubles.at(-1)).toBeUndefined();
    expect(tab.refused).toEqual([]);
  });

  test.each([400, 404, 409, 410, 412, 413, 422])(
    'that refuses with %i: it is kept, and the next goes out',
    async (status) => {
      const user = newUser();
      const tab = await Tab.open(user);
      tab.known.set('a', { id: 'a', title: 'As it was' } as Task);
      network.answer = (_, path) =>
        path.includes('/a/')
          ? {
              status,
              body: { code: 'reason', detail: 'Because.', errors: [{ field: 'title', detail: 'too long' }] },
            }
          : { status: 200, body: { version: 2 } };
      await tab.add(complete('a'), complete('b'));
      await tab.until(() => tab.answers.length === 1 && tab.queue.length === 0);
      const kept = { title: 'As it was', status, code: 'reason', message: 'Because.' };
      expect(tab.refused).toMatchObject([{ ...kept, pending: { change: complete('a') } }]);
      const after = await Tab.open(user); // and is there after a restart
      expect(after.refused).toMatchObject([kept]);
      await after.outbox.settle(after.refused, [complete('c')], 'now');
      await after.until(() => after.refused.length === 0 && after.queue.length === 0);
      expect(network.calls.at(-1)).toBe('POST /api/tasks/c/complete');
    },
  );

  test('that refuses a creation: what was to be done with the task waits with it', async () => {
    const tab = await Tab.open(newUser());
    network.answer = () => ({ status: 409, body: { code: 'list_full' } });
    await tab.add({ kind: 'create', id: 'a', key: 'k', body: { title: 'A' } }, complete('a'));
    await tab.until(() => tab.refused.length === 2);
    expect(tab.refused.map((r) => r.code)).toEqual(['list_full', 'not_created']);
    expect(network.calls).toEqual(['POST /api/tasks']);
    expect(tab.queue).toEqual([]);
  });

  describe('that fails on one change each time', () => {
    beforeEach(() => vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] }));
    const create: Change = { kind: 'create', id: 'a', key: 'k', body: { title: 'A' } };
    const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
    /** Lets a time pass, and what it starts go on. */
    async function pass(seconds: number): Promise<void> {
      for (let i = 0; i < seconds * 2; i++) {
        await vi.advanceTimersByTimeAsync(500);
        for (let turns = 0; turns < 20; turns++) await turn();
      }
    }

    test('it is set aside with what follows of its task, and others go on', async () => {
      const user = newUser();
      const tab = await Tab.open(user);
      network.answer = (method, path) =>
        method === 'POST' && path === '/api/tasks'
          ? { status: 500, body: { code: 'internal' } }
          : { status: 200, body: { version: 2 } };
      await tab.add(create, complete('b'), complete('a'));
      await pass(15);
      expect(tab.refused).toEqual([]);
      await pass(15);
      expect(tab.refused.map((r) => [r.code, r.pending.change])).toEqual([
        ['failed', create],
        ['behind', complete('a')],
      ]);
      expect(tab.answers.map((a) => a.pending.change)).toEqual([complete('b')]);
      expect(tab.queue).toEqual([]);
      expect(tab.troubles.at(-1)).toBeUndefined();
      expect((await tab.store.queue()).refused).toHaveLength(2);
    });

    test('and on everything: all wait in order', async () => {
      const tab = await Tab.open(newUser());
      network.answer = () => ({ status: 500, body: { code: 'internal' } });
      await tab.add(create, complete('b'));
      await pass(60);
      expect(tab.refused).toEqual([]);
      expect(tab.queue.map((p) => p.change)).toEqual([create, complete('b')]);
    });

    test('being asked again in between is no reason to give up sooner', async () => {
      const tab = await Tab.open(newUser());
      network.answer = (method) => ({ status: method === 'GET' ? 200 : 500, body: {} });
      await tab.add(create);
      for (let i = 0; i < 10; i++) {
        tab.outbox.nudge();
        for (let turns = 0; turns < 20; turns++) await turn();
      }
      expect(network.calls.length).toBeGreaterThan(6);
      expect(tab.refused).toEqual([]);
    });
  });

  test('that does not know a task to be deleted: it is gone, as wanted', async () => {
    const tab = await Tab.open(newUser());
    network.answer = () => ({ status: 404, body: { code: 'not_found' } });
    await tab.add({ kind: 'delete', id: 'a' });
    await tab.until(() => tab.answers.length === 1);
    expect(tab.refused).toEqual([]);
  });
});

describe('an edit of a text', () => {
  const edit: Change = { kind: 'update', id: 'a', patch: { description: 'mine' }, from: { description: '' } };

  test('is compared anew when another change came first', async () => {
    const tab = await Tab.open(newUser());
    tab.known.set('a', { id: 'a', title: 'A', description: '', version: 4 } as Task);
    network.answer = (method) => {
      if (method === 'GET') return { status: 200, body: { id: 'a', description: 'theirs', version: 5 } };
      const stale = network.sent.at(-1)?.headers.get('If-Match') === '"4"';
      return stale
        ? { status: 412, body: { code: 'version_conflict' } }
        : { status: 200, body: { version: 6 } };
    };
    await tab.add(edit);
    await tab.until(() => tab.answers.length === 1);
    expect(network.calls).toEqual(['PATCH /api/tasks/a', 'GET /api/tasks/a', 'PATCH /api/tasks/a']);
    expect(network.sent[2]?.body).toEqual({ description: 'theirs\nmine' });
    expect(network.sent[2]?.headers.get('If-Match')).toBe('"5"');
    expect(tab.answers[0]?.pending.meetings).toMatchObject([
      { kept: 'both', mine: 'mine', theirs: 'theirs' },
    ]);
  });

  test('is held back, for the user to decide, when the task never keeps still', async () => {
    const tab = await Tab.open(newUser());
    network.answer = (method) =>
      method === 'GET'
        ? { status: 200, body: { id: 'a', description: '', version: 5 } }
        : { status: 412, body: { code: 'version_conflict' } };
    await tab.add(edit);
    await tab.until(() => tab.refused.length === 1);
    expect(tab.refused).toMatchObject([{ status: 412, pending: { change: edit } }]);
  });

  test('is held back when both texts together are too long', async () => {
    const tab = await Tab.open(newUser());
    tab.known.set('a', { id: 'a', description: 't'.repeat(1999), version: 4 } as Task);
    await tab.add(edit);
    await tab.until(() => tab.refused.length === 1);
    expect(tab.refused).toMatchObject([{ code: 'text_conflict', pending: { change: edit } }]);
    expect(network.calls).toEqual([]);
  });
});

test('of two tabs without Web Locks one sends at a time, and each change goes out once', async () => {
  const user = newUser();
  const [one, two] = [await Tab.open(user), await Tab.open(user)];
  let under = 0;
  let most = 0;
  network.answer = async () => {
    most = Math.max(most, ++under);
    await new Promise((resolve) => setTimeout(resolve));
    under--;
    return { status: 200, body: { version: 2 } };
  };
  await Promise.all([one.add(complete('a'), complete('b')), two.add(complete('c'), complete('d'))]);
  await one.until(() => one.answers.length + two.answers.length === 4);
  await one.until(() => one.queue.length === 0);
  await two.until(() => two.queue.length === 0);
  expect(most).toBe(1);
  expect(network.calls).toHaveLength(4);
  expect(two.known.size).toBe(4); // the answers to one tab are known in the other
});
