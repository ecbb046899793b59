/**
 * How what was done is told.
 *
 * [Task]: T061
 */
import { expect, test } from 'vitest';
import type { Change } from '../replica/types';
import { describe } from './describe';

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
