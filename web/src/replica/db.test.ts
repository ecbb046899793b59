/**
 * What a browser keeps, over forms, tabs and signing out.
 *
 * [Task]: T061
 */
import { expect, test, vi } from 'vitest';
import { Store } from './db';
import type { Step } from './steps';
import type { Change, Known, Refusal } from './types';

const change: Change = { kind: 'complete', id: 'a' };
const known = { task: { id: 'a' }, asOf: 3 } as Known;

/** A database as the first form of the client left it. */
async function firstForm(user: string): Promise<void> {
  const request = indexedDB.open(`docket-${user}`, 1);
  await new Promise<void>((resolve, reject) => {
    request.onupgradeneeded = () => {
      const db = request.result;
      db.createObjectStore('tasks', { keyPath: 'task.id' }).put(known);
      db.createObjectStore('meta').put(3, 'version');
      db.createObjectStore('outbox', { keyPath: 'seq', autoIncrement: true }).add({ change, at: 'then' });
    };
    request.onsuccess = () => {
      request.result.close();
      resolve();
    };
    request.onerror = () => reject(request.error ?? new Error('storage failed'));
  });
}

test('the first form is converted: nothing that waits is lost', async () => {
  await firstForm('old');
  const store = await Store.open('old');
  expect(await store.queue()).toEqual({ pending: [{ seq: 1, change, at: 'then' }], refused: [] });
  expect(await store.base()).toEqual({ known: [known], version: 3 });
  expect(await store.lease('x', 0, 10)).toBe(true);
  const step = { id: 's', tab: 't', at: 1, made: { changes: [change], inverse: [], title: 'A', seqs: [1] } };
  await store.changeSteps({ put: [step], remove: [] });
  expect(await store.claimSteps((all) => ({ put: all, remove: [] }))).toEqual([step]);
  store.close();
});

test('a newer client in another tab is not held up, and this one fails rather than writes to what is gone', async () => {
  const store = await Store.open('newer');
  await new Promise((resolve, reject) => {
    const request = indexedDB.open('docket-newer', 99);
    request.onsuccess = resolve;
    request.onerror = reject;
  });
  await expect(store.enqueue([change], 'now')).rejects.toThrow();
});

test('a change in the queue is rewritten in its place, and not brought back once it has gone', async () => {
  const store = await Store.open('rewrite');
  await store.enqueue([change, { kind: 'delete', id: 'b' }], 'now');
  const first = await store.first();
  if (!first) throw new Error('a first one');
  await store.rewrite({ ...first, change: { kind: 'reopen', id: 'a' } });
  expect((await store.queue()).pending.map((p) => p.change.kind)).toEqual(['reopen', 'delete']);
  await store.dequeue(first.seq);
  await store.rewrite(first);
  expect((await store.queue()).pending.map((p) => p.change.kind)).toEqual(['delete']);
  store.close();
});

test('a large base is handed over in slices, with time for other work between them', async () => {
  const all = Array.from({ length: 1_050 }, (_, i) => ({ task: { id: `${i}` }, asOf: 3 }) as Known);
  const store = await Store.open('large');
  const put = vi.spyOn(IDBObjectStore.prototype, 'put');
  const written: number[] = [];
  const watch = setInterval(() => written.push(put.mock.calls.length), 0);
  await store.keep(
    all.map((one) => ({ id: one.task.id, known: one })),
    3,
    true,
  );
  clearInterval(watch);
  put.mockRestore();
  const steps = [0, ...written].map((n, i, before) => n - (before[i - 1] ?? 0));
  expect(Math.max(...steps)).toBeLessThanOrEqual(200);
  expect((await store.base()).known).toHaveLength(1_050);
  store.close();
});

test('a base that cannot be kept to its end changes nothing', async () => {
  const store = await Store.open('half');
  await store.keep([{ id: 'a', known }], 3, true);
  const all = Array.from({ length: 500 }, (_, i) => ({ task: { id: `${i}` }, asOf: 4 }) as Known);
  const bad = { task: { id: 'bad', title: () => '' }, asOf: 4 } as unknown as Known;
  const write = store.keep(
    [...all, bad].map((one) => ({ id: one.task.id, known: one })),
    4,
    true,
  );
  await expect(write).rejects.toThrow();
  expect(await store.base()).toEqual({ known: [known], version: 3 });
  store.close();
});

test('a write that fails is reported by its own reason, not by what became of the writes after it', async () => {
  const store = await Store.open('reason');
  await store.keep([{ id: 'a', known }], 3, true);
  const put = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementationOnce(function (
    this: IDBObjectStore,
  ) {
    return this.add(known); // it is there already: the browser finds that out later, as it does a full disk
  });
  const changed = ['a', 'b', 'c'].map((id) => ({ id, known: { task: { id }, asOf: 4 } as Known }));
  await expect(store.keep(changed, 4, false)).rejects.toMatchObject({ name: 'ConstraintError' });
  put.mockRestore();
  expect(await store.base()).toEqual({ known: [known], version: 3 });
  store.close();
});

test('a lease is one tab’s until it ends, is given back, or runs out', async () => {
  const [one, two] = [await Store.open('lease'), await Store.open('lease')];
  expect(await one.lease('send', 0, 100)).toBe(true);
  expect(await two.lease('send', 50, 100)).toBe(false);
  expect(await two.lease('keep', 50, 100)).toBe(true);
  expect(await one.lease('send', 90, 100)).toBe(true); // renewed
  expect(await two.lease('send', 150, 100)).toBe(false);
  expect(await two.lease('send', 190, 100)).toBe(true); // run out: its tab sleeps
  await one.release('send'); // no longer its own
  expect(await one.lease('send', 200, 100)).toBe(false);
  await two.release('send');
  expect(await one.lease('send', 200, 100)).toBe(true);
  one.close();
  two.close();
});

test('a deleted account leaves nothing', async () => {
  const store = await Store.open('deleted');
  await store.enqueue([change], 'now');
  await store.forget('deleted', true);
  expect((await indexedDB.databases()).map((d) => d.name)).not.toContain('docket-deleted');
});

test('signing out forgets the tasks, and keeps what never reached the server', async () => {
  const refusal = { pending: { seq: 7, change, at: 'then' }, code: 'list_full' } as Refusal;
  const store = await Store.open('leaving');
  await store.keep([{ id: 'a', known }], 3, true);
  await store.enqueue([change], 'now');
  await store.refuse([refusal]);
  await store.changeSteps({ put: [{ id: 's' } as Step], remove: [] });
  await store.forget('leaving');
  const after = await Store.open('leaving');
  expect(await after.base()).toEqual({ known: [], version: -1 });
  expect(await after.queue()).toEqual({ pending: [{ seq: 1, change, at: 'now' }], refused: [refusal] });
  expect(await after.claimSteps((all) => ({ put: all, remove: [] }))).toEqual([]);
  await after.dequeue(1);
  await after.settle([7], [], 'now');
  await after.forget('leaving');
  expect((await indexedDB.databases()).map((d) => d.name)).not.toContain('docket-leaving');
});
