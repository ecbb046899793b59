/**
 * The replica as a whole: what a user makes shows at once, can be taken back, and is there after a restart.
 *
 * [Task]: T061, T068
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { apply } from './apply';
import { Replica } from './store';
import type { Made, Task } from './types';

/** A socket that never connects; live.test.ts has the ones that do. */
class Silent {
  close(): void {
    return undefined;
  }
}

let users = 0;
let open: Replica[] = [];
let reachable: boolean;
let listed: Task[];
let asked: number;

beforeEach(() => {
  reachable = true;
  asked = 0;
  const made = apply(
    undefined,
    { kind: 'create', id: 'a', key: 'k', body: { title: 'A' } },
    '2026-03-31T07:00:00.000Z',
    { id: 'u', reminder_minutes: [30] },
  );
  listed = made ? [{ ...made, version: 1 }] : [];
  vi.stubGlobal('WebSocket', Silent);
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    asked++;
    if (!reachable || init.method !== 'GET') return Promise.reject(new TypeError('Failed to fetch'));
    const page = url.includes('status=pending') ? listed : [];
    return Promise.resolve(new Response(JSON.stringify(page), { headers: { 'List-Version': '3' } }));
  });
});
afterEach(() => {
  for (const replica of open) replica.close();
  open = [];
  vi.unstubAllGlobals();
});

async function start(user = `store-${++users}`): Promise<Replica> {
  const replica = await Replica.open({ id: user, reminder_minutes: [30] });
  open.push(replica);
  replica.connect();
  return replica;
}

/** Waits until something holds; each change of what shows is a moment to look. */
async function until(replica: Replica, holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise<void>((resolve) => {
      const stop = replica.subscribe(() => {
        stop();
        resolve();
      });
    });
  }
}

const tasks = (replica: Replica) => replica.getSnapshot().tasks;

test('what was made without a network shows at once and after a restart; the rest stays the same object', async () => {
  const replica = await start();
  await until(replica, () => replica.getSnapshot().status.load === 'complete');
  const before = tasks(replica).get('a');
  reachable = false;
  const id = await replica.create({ title: 'Made offline' });
  expect(tasks(replica).get(id)?.title).toBe('Made offline');
  expect(tasks(replica).get('a')).toBe(before);
  replica.close();
  const next = await start(replica.owner.id);
  expect(tasks(next).get(id)?.title).toBe('Made offline');
  expect(next.getSnapshot().status.waiting).toBe(1);
});

test('the server is asked once, by the replica that is followed: not by one that opened too late to be shown', async () => {
  const owner = { id: `store-${++users}`, reminder_minutes: [30] };
  const [late, replica] = [await Replica.open(owner), await Replica.open(owner)];
  late.close();
  expect(asked).toBe(0);
  open.push(replica);
  replica.connect();
  replica.connect(); // the component is there a second time, or the network
  await until(replica, () => replica.getSnapshot().status.load === 'complete');
  expect(asked).toBe(2); // what is to be done, and what is done
});

test('every change can be taken back, and what took it back too', async () => {
  const replica = await start();
  await until(replica, () => tasks(replica).has('a'));
  const made: Made[] = [];
  replica.onStep((step) => made.push(step.made));
  await replica.change({ kind: 'update', id: 'a', patch: { title: 'B' } });
  await replica.change({ kind: 'delete', id: 'a' });
  expect(made.map((m) => m.title)).toEqual(['A', 'B']);
  const [rename, deletion] = made;
  if (!rename || !deletion) throw new Error('both were told');
  const undone = await replica.undo(deletion);
  expect(tasks(replica).get('a')?.title).toBe('B');
  await replica.undo(rename);
  expect(tasks(replica).get('a')?.title).toBe('A');
  await replica.change(...undone.inverse);
  expect(tasks(replica).has('a')).toBe(false);
});

test('two changes made at once: each is taken back to what it found', async () => {
  const replica = await start();
  await until(replica, () => tasks(replica).has('a'));
  const made: Made[] = [];
  replica.onStep((step) => made.push(step.made));
  await Promise.all([
    replica.change({ kind: 'update', id: 'a', patch: { priority: 'high' } }),
    replica.change({ kind: 'update', id: 'a', patch: { priority: 'low' } }),
  ]);
  expect(made[1]?.inverse).toEqual([{ kind: 'update', id: 'a', patch: { priority: 'high' } }]);
});

test('an edit knows the text it began from, unless nobody else can have seen the task', async () => {
  const replica = await start();
  await until(replica, () => tasks(replica).has('a'));
  const id = await replica.create({ title: 'New' });
  await replica.change({ kind: 'update', id: 'a', patch: { title: 'B' } });
  await replica.change({ kind: 'update', id, patch: { title: 'Newer' } });
  expect(replica.getSnapshot().pending.map(({ change }) => 'from' in change && change.from)).toEqual([
    false,
    { title: 'A' },
    false,
  ]);
});

test('a change that the browser cannot keep is not made, and that is told', async () => {
  const replica = await start();
  await until(replica, () => tasks(replica).has('a'));
  let told = 0;
  replica.onUnkept(() => told++);
  vi.spyOn(IDBObjectStore.prototype, 'add').mockImplementationOnce(() => {
    throw new DOMException('disk full', 'QuotaExceededError');
  });
  await expect(replica.change({ kind: 'complete', id: 'a' })).rejects.toThrow('disk full');
  expect([told, tasks(replica).get('a')?.status]).toEqual([1, 'pending']);
  await replica.change({ kind: 'complete', id: 'a' });
  expect(tasks(replica).get('a')?.status).toBe('completed');
  vi.restoreAllMocks();
});
