/**
 * Two edits of one text: both stay.
 *
 * [Task]: T061, T069
 */
import { describe, expect, test } from 'vitest';
import { merge, reconcile, type Update } from './texts';
import type { Task } from './types';

describe('merging descriptions', () => {
  test.each([
    ['one side alone', 'a\nb\n', 'a\nb\n', 'a\nB\n', 'a\nB\n'],
    ['the same on both sides', 'a\n', 'b\n', 'b\n', 'b\n'],
    [
      'other lines',
      '- milk\n- bread\n- eggs',
      '- oat milk\n- bread\n- eggs',
      '- milk\n- bread\n- eggs\n- tea',
      '- oat milk\n- bread\n- eggs\n- tea',
    ],
    [
      'other words of one line',
      'Meet Anna at nine',
      'Meet Anna and Ben at nine',
      'Meet Anna at ten',
      'Meet Anna and Ben at ten',
    ],
    ['a line taken out, another changed', 'a\nb\nc\nd\n', 'a\nc\nd\n', 'a\nb\nc\nD\n', 'a\nc\nD\n'],
    ['emoji and right-to-left text', 'שלום עולם 🌍', 'שלום לכולם 🌍', 'שלום עולם 🌍🎉', 'שלום לכולם 🌍🎉'],
  ])('%s', (_, base, mine, theirs, both) => {
    expect(merge(base, mine, theirs)).toEqual({ text: both, met: false });
    expect(merge(base, theirs, mine)).toEqual({ text: both, met: false });
  });

  test('where both changed the same words, both versions stay, and it says so', () => {
    expect(merge('top\nat nine\nend', 'top\nat ten\nend', 'top\nat eight\nend')).toEqual({
      text: 'top\nat eight\nat ten\nend',
      met: true,
    });
    expect(merge('', 'mine', 'theirs')).toEqual({ text: 'theirs\nmine', met: true });
  });

  test('of two thousand characters on both sides nothing is lost', () => {
    const base = Array.from({ length: 200 }, (_, i) => `line ${i}`).join('\n');
    const mine = base.replace('line 7\n', 'line seven\n');
    const theirs = `${base}\nmore`;
    expect(merge(base, mine, theirs).text).toBe(`${mine}\nmore`);
  });
});

describe('an edit over the task as the server has it', () => {
  const task = (over: Partial<Task>) =>
    ({ id: 'a', title: 'A', description: 'x', version: 3, ...over }) as Task;
  const edit = (patch: Update['patch'], from: NonNullable<Update['from']>): Update => ({
    kind: 'update',
    id: 'a',
    patch,
    from,
  });

  test('goes as it is when nobody else changed the text', () => {
    const update = edit({ title: 'B' }, { title: 'A' });
    expect(reconcile(update, task({ description: 'changed' }))).toEqual({
      kind: 'send',
      update,
      meetings: [],
    });
  });

  test('keeps the later title, and tells of the other', () => {
    expect(reconcile(edit({ title: 'mine' }, { title: 'A' }), task({ title: 'theirs' }))).toEqual({
      kind: 'send',
      update: edit({ title: 'mine' }, { title: 'theirs' }),
      meetings: [{ id: 'a', field: 'title', kept: 'mine', mine: 'mine', theirs: 'theirs' }],
    });
  });

  test('merges the description, and after that meets nobody again', () => {
    const outcome = reconcile(
      edit({ description: 'x\ny' }, { description: 'x' }),
      task({ description: 'w\nx' }),
    );
    expect(outcome).toMatchObject({
      kind: 'send',
      update: { patch: { description: 'w\nx\ny' }, from: { description: 'w\nx' } },
      meetings: [{ kept: 'merged' }],
    });
    if (outcome.kind !== 'send') throw new Error('sent');
    expect(reconcile(outcome.update, task({ description: 'w\nx' }))).toMatchObject({ meetings: [] });
    expect(reconcile(outcome.update, task({ description: 'w\nx\ny' }))).toEqual({ kind: 'done' });
  });

  test('is not sent when both together are longer than a description may be', () => {
    const update = edit({ description: 'm'.repeat(1500) }, { description: 'x' });
    expect(reconcile(update, task({ description: 't'.repeat(1500) }))).toEqual({ kind: 'conflict' });
  });
});
