/**
 * What the user can do with changes on which the server failed.
 *
 * [Task]: T061
 */
import { expect, test } from 'vitest';
import type { Change, Refusal } from '../replica/types';
import { changesFor, choicesOf, mattersOf, reasonsOf } from './refusal';

const refusal = (seq: number, change: Change, status: number, code: string): Refusal => ({
  pending: { seq, change, at: '2026-03-31T07:00:00.000Z' },
  title: 'A',
  status,
  code,
  message: '',
  fields: [],
});
const create: Change = { kind: 'create', id: 'a', key: 'k', body: { title: 'A' } };
const rename: Change = { kind: 'update', id: 'a', patch: { title: 'B' } };
const complete: Change = { kind: 'complete', id: 'a' };
const fresh = () => ({ id: 'new', key: 'new key' });

test.each<[string, Change]>([
  ['a creation', create],
  ['an edit', rename],
])('%s that failed is tried again as it was, before what follows', (_, change) => {
  const other = refusal(3, { kind: 'complete', id: 'b' }, 409, 'list_full');
  const matters = mattersOf([refusal(1, change, 500, 'failed'), refusal(2, complete, 0, 'behind'), other]);
  expect(matters.map((m) => m.refusals.length)).toEqual([2, 1]);
  const [matter] = matters;
  if (!matter) throw new Error('no matter');
  expect(choicesOf(matter)).toEqual(['again']);
  // With its own key: if it was made after all, it is not made twice.
  expect(changesFor(matter, 'again', fresh)).toEqual([change, complete]);
  expect(matter.refusals.flatMap(reasonsOf)).not.toContain('');
});

test('a creation that was refused goes out under another key', () => {
  const [matter] = mattersOf([refusal(1, create, 409, 'list_full')]);
  if (!matter) throw new Error('no matter');
  expect(changesFor(matter, 'again', fresh)).toEqual([{ ...create, id: 'new', key: 'new key' }]);
});
