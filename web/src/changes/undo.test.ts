/**
 * The steps that can be taken back, and how they are told.
 *
 * [Task]: T061
 */
import { expect, test } from 'vitest';
import type { Change, Made } from '../replica/types';
import { describe } from './describe';
import { Steps } from './undo';

const made = (change: Change, inverse: Change): Made => ({
  changes: [change],
  inverse: [inverse],
  title: 'A',
  undo: false,
});
const edit = (from: string, to: string, id = 'a'): Made =>
  made(
    { kind: 'update', id, patch: { description: to }, from: { description: from } },
    { kind: 'update', id, patch: { description: from }, from: { description: to } },
  );

test('steps are taken back last first, each once', () => {
  const steps = new Steps();
  const first = steps.push(made({ kind: 'complete', id: 'a' }, { kind: 'reopen', id: 'a' }), 0).made;
  const second = steps.push(made({ kind: 'delete', id: 'b' }, { kind: 'restore', id: 'b' }), 1).made;
  expect(steps.take(first)).toBe(true);
  expect(steps.take(first)).toBe(false);
  expect(steps.pop()).toBe(second);
  expect(steps.pop()).toBeUndefined();
});

test('a text saved as it is typed is one step back to what it was', () => {
  const steps = new Steps();
  steps.push(edit('', 'H'), 0);
  steps.push(edit('H', 'He'), 1_000);
  expect(steps.pop()).toMatchObject({
    inverse: [{ kind: 'update', id: 'a', patch: { description: '' }, from: { description: 'He' } }],
  });
  expect(steps.pop()).toBeUndefined();
});

test('edits of different tasks, or after a pause, are steps of their own', () => {
  const steps = new Steps();
  steps.push(edit('', 'H'), 0);
  steps.push(edit('', 'H', 'b'), 1_000);
  steps.push(edit('H', 'He', 'b'), 20_000);
  expect([steps.pop(), steps.pop(), steps.pop()].filter(Boolean)).toHaveLength(3);
});

test.each<[Change[], string | undefined, string]>([
  [[{ kind: 'complete', id: 'a' }], 'Call שלום', 'Completed “\u2068Call שלום\u2069”'],
  [[{ kind: 'update', id: 'a', patch: { due_date: null } }], 'A', 'Changed the date of “\u2068A\u2069”'],
  [[{ kind: 'update', id: 'a', patch: { due_date: null, priority: 'low' } }], 'A', 'Changed “\u2068A\u2069”'],
  [
    [
      { kind: 'delete', id: 'a' },
      { kind: 'delete', id: 'b' },
    ],
    undefined,
    'Deleted 2 tasks',
  ],
  [[{ kind: 'delete', id: 'a' }], '😀'.repeat(61), `Deleted “\u2068${'😀'.repeat(59)}…\u2069”`],
])('%j of %s', (changes, title, text) => {
  expect(describe({ changes, title })).toBe(text);
});
