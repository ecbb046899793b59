/**
 * The steps that can be taken back: in order, over reloads and closed tabs, and not in another tab.
 *
 * [Task]: T061
 */
import { expect, test } from 'vitest';
import { Store } from './db';
import { Steps } from './steps';
import type { Change, Made } from './types';

const day = 24 * 3_600_000;
let users = 0;
let seqs = 0;

const made = (change: Change, inverse: Change): Made => ({
  changes: [change],
  inverse: [inverse],
  title: 'A',
  seqs: [++seqs],
});
const completed = (id: string) => made({ kind: 'complete', id }, { kind: 'reopen', id });
const edited = (from: string, to: string, id = 'a') =>
  made(
    { kind: 'update', id, patch: { description: to }, from: { description: from } },
    { kind: 'update', id, patch: { description: from }, from: { description: to } },
  );

/** One user's browser, in which tabs are opened. */
async function browser() {
  const store = await Store.open(`steps-${++users}`);
  const open = new Set<string>();
  const tab = (name: string, now = 0) => {
    const steps = Steps.open(store, name, (other) => open.has(other), now);
    open.add(name);
    return steps;
  };
  return { tab, close: (name: string) => open.delete(name) };
}

/** The ids of the tasks of the steps, the last step first; they are taken out. */
function taken(steps: Steps): (string | undefined)[] {
  const ids = [];
  for (let step = steps.pop(); step; step = steps.pop()) ids.push(step.made.changes[0]?.id);
  return ids;
}

test('steps are taken back last first, each once', async () => {
  const steps = await (await browser()).tab('one');
  const first = steps.push(completed('a'), 0);
  const second = steps.push(completed('b'), 0);
  expect(steps.take(first.id)).toBe(first);
  expect(steps.take(first.id)).toBeUndefined();
  expect(steps.pop()).toBe(second);
  expect(steps.pop()).toBeUndefined();
});

test('a reload keeps them, in order, without those that were taken back', async () => {
  const { tab } = await browser();
  const before = await tab('one');
  for (const id of ['a', 'b', 'c', 'd']) before.push(completed(id), 5);
  before.pop();
  const after = await tab('one', 6);
  expect(taken(after)).toEqual(['c', 'b', 'a']);
  expect(taken(await tab('one', 7))).toEqual([]);
});

test('no tab takes back what another open one has made; a new tab takes over what a closed one has left', async () => {
  const { tab, close } = await browser();
  const one = await tab('one');
  const two = await tab('two');
  one.push(completed('a'), 1);
  two.push(completed('b'), 2);
  expect(taken(await tab('three', 3))).toEqual([]);
  close('one');
  const four = await tab('four', 4);
  expect(taken(await tab('one', 5))).toEqual([]);
  expect(taken(four)).toEqual(['a']);
  expect(taken(two)).toEqual(['b']);
});

test('what is older than a day, and more than 200, is forgotten', async () => {
  const { tab } = await browser();
  const steps = await tab('one');
  steps.push(completed('old'), 0);
  steps.push(completed('young'), 10);
  expect(taken(await tab('one', day + 5))).toEqual(['young']);
  const many = await tab('two');
  for (let i = 0; i < 201; i++) many.push(completed(`task-${i}`), i);
  const left = taken(await tab('two', 300));
  expect([left.length, left.at(-1)]).toEqual([200, 'task-1']);
});

test('a text saved as it is typed is one step back to what it was, on disk too', async () => {
  const { tab } = await browser();
  const steps = await tab('one');
  steps.push(edited('', 'H'), 0);
  steps.push(edited('H', 'He'), 1_000);
  const after = await tab('one', 2_000);
  expect(after.pop()?.made.inverse).toEqual([
    { kind: 'update', id: 'a', patch: { description: '' }, from: { description: 'He' } },
  ]);
  expect(after.pop()).toBeUndefined();
});

test('edits of different tasks, or after a pause, are steps of their own', async () => {
  const steps = await (await browser()).tab('one');
  steps.push(edited('', 'H'), 0);
  steps.push(edited('', 'H', 'b'), 1_000);
  steps.push(edited('H', 'He', 'b'), 20_000);
  expect(taken(steps)).toEqual(['b', 'b', 'a']);
});

test('what the server refused is not taken back; the rest of its step is', async () => {
  const { tab } = await browser();
  const steps = await tab('one');
  const both: Made = {
    changes: ['a', 'b'].map((id) => ({ kind: 'complete', id })),
    inverse: ['b', 'a'].map((id) => ({ kind: 'reopen', id })),
    title: undefined,
    seqs: [901, 902],
  };
  steps.push(both, 0);
  steps.refused({ seq: 902, change: { kind: 'complete', id: 'b' }, at: '' });
  const after = await tab('one', 1);
  expect(after.pop()?.made.inverse).toEqual([{ kind: 'reopen', id: 'a' }]);
  steps.refused({ seq: 901, change: { kind: 'complete', id: 'a' }, at: '' });
  expect(steps.pop()).toBeUndefined();
});
