/**
 * What a view shows, what is selected, and what is done to it.
 *
 * [Task]: T062
 */
import { describe, expect, test } from 'vitest';
import { apply } from '../replica/apply';
import type { Task } from '../replica/types';
import { completion, moved, onDay, prioritised, tagged } from './changes';
import { extend, nothing, toggle, toggleAll, within } from './selection';
import { countsOf, listOf, shows } from './views';

const zone = 'Europe/Berlin';
const now = Date.parse('2026-03-31T08:00:00Z'); // 10:00 in Berlin
const owner = { id: 'u', reminder_minutes: [30] };

function task(id: string, over: Partial<Task> = {}): Task {
  const made = apply(
    undefined,
    { kind: 'create', id, key: id, body: { title: id } },
    '2026-03-01T00:00:00.000Z',
    owner,
  );
  if (!made) throw new Error('a creation makes a task');
  return { ...made, ...over };
}

const tasks = [
  task('yesterday', { due_date: '2026-03-30' }),
  task('nine', { due_date: '2026-03-31T09:00:00' }),
  task('noon', { due_date: '2026-03-31T12:00:00', priority: 'high' }),
  task('today', { due_date: '2026-03-31', tags: ['Home'] }),
  task('midnight', { due_date: '2026-04-01T00:00:00' }),
  task('undated', { tags: ['home', 'work'] }),
  task('done', { status: 'completed', completed_at: '2026-03-30T22:30:00.000Z', due_date: '2026-03-31' }),
];

const shown = (view: Parameters<typeof listOf>[1], filter = {}) =>
  listOf(tasks, view, filter, now, zone).map((g) => [g.heading ?? '', ...g.tasks.map((t) => t.id)]);

describe('a view', () => {
  test('is grouped by day, what is late first and what has no date last', () => {
    expect(shown('all')).toEqual([
      ['Overdue', 'yesterday', 'nine'],
      ['Today', 'noon', 'today'],
      ['Tomorrow', 'midnight'],
      ['No date', 'undated'],
    ]);
    expect(shown('today').flat()).toEqual(['Overdue', 'yesterday', 'nine', 'Today', 'noon', 'today']);
    expect(shown('upcoming')).toEqual([['Tomorrow', 'midnight']]);
    expect(shown('done')).toEqual([['Today', 'done']]); // 00:30 in Berlin
  });

  test('a heading stands for the due day only where it is that', () => {
    const says = (view: Parameters<typeof listOf>[1], filter = {}) =>
      listOf(tasks, view, filter, now, zone).map((g) => g.saysDue);
    expect(says('all')).toEqual([false, true, true, true]); // what is overdue is so since different days
    expect(says('done')).toEqual([false]); // when it was done is not when it was due
    expect(says('all', { sortBy: 'title' })).toEqual([false]);
  });

  test('keeps its days under a filter, whose status has the last word', () => {
    expect(shown('today', { dueBefore: '2026-12-31' }).flat()).not.toContain('midnight');
    expect(shown('today', { statuses: ['completed'] })).toEqual([['Today', 'done']]);
    expect(shown('all', { tags: ['HOME'] }).flat()).toEqual(['Today', 'today', 'No date', 'undated']);
  });

  test('in another order is one group', () => {
    expect(shown('all', { sortBy: 'priority' })[0]?.slice(0, 2)).toEqual(['', 'noon']);
    expect(shown('all', { sortBy: 'due_date', descending: true })[0]).toEqual(['Tomorrow', 'midnight']);
    expect(shown('all', { search: 'nothing like it' })).toEqual([]);
  });

  test('answers the same for one task', () => {
    for (const view of ['today', 'upcoming', 'all', 'done'] as const) {
      const one = tasks.filter(shows(view, {}, now, zone)).map((t) => t.id);
      expect(new Set(one)).toEqual(
        new Set(listOf(tasks, view, {}, now, zone).flatMap((g) => g.tasks.map((t) => t.id))),
      );
    }
  });

  test('counts what is pending, and tags whatever their case', () => {
    expect(countsOf(tasks, now, zone)).toEqual({
      views: { today: 4, upcoming: 1, all: 6 },
      overdue: 2,
      tags: [
        ['Home', 2],
        ['work', 1],
      ],
    });
  });
});

describe('a selection', () => {
  const order = ['a', 'b', 'c', 'd', 'e'];
  const ids = (s: typeof nothing) => [...s.ids].sort().join('');

  test('of one is the anchor of a range, in both directions', () => {
    const one = toggle(nothing, 'c');
    expect(ids(extend(one, order, 'a', 'e'))).toBe('cde');
    expect(ids(extend(extend(one, order, 'a', 'e'), order, 'a', 'a'))).toBe('abcde');
    expect(ids(toggle(one, 'c'))).toBe('');
  });

  test('begins its range where the cursor is, if nothing is selected', () => {
    expect(ids(extend(nothing, order, 'b', 'd'))).toBe('bcd');
    expect(extend(nothing, order, 'gone', 'd')).toBe(nothing);
  });

  test('of a whole group is taken back the same way', () => {
    const all = toggleAll(toggle(nothing, 'a'), ['a', 'b']);
    expect(ids(all)).toBe('ab');
    expect(ids(toggleAll(all, ['a', 'b']))).toBe('');
  });

  test('has nothing that is not shown', () => {
    const some = extend(nothing, order, 'a', 'c');
    expect(ids(within(some, new Map([['b', 0]])))).toBe('b');
    expect(within(some, new Map(order.map((id) => [id, 0])))).toBe(some);
  });
});

describe('what is done to many', () => {
  test('completes the pending ones; if there are none, reopens', () => {
    expect(completion(tasks.slice(-2))).toEqual([{ kind: 'complete', id: 'undated' }]);
    expect(completion(tasks.slice(-1))).toEqual([{ kind: 'reopen', id: 'done' }]);
  });

  test('changes only those that it changes', () => {
    expect(prioritised(tasks, 'high').map((c) => c.id)).not.toContain('noon');
    expect(tagged(tasks.slice(3, 6), ['HOME'], [])).toEqual([
      { kind: 'tags', id: 'midnight', add: ['HOME'], remove: [] },
    ]);
    expect(moved(tasks.slice(3, 4), '2026-03-31', zone)).toEqual([]);
    expect(moved(tasks.slice(3, 4), undefined, zone)).toEqual([
      { kind: 'update', id: 'today', patch: { due_date: null } },
    ]);
  });

  test.each([
    [null, '2026-04-02'],
    ['2026-03-01', '2026-04-02'],
    ['2026-03-01T09:00:00', '2026-04-02T09:00:00'],
    ['2026-03-01T09:00:00+01:00', '2026-04-02T09:00:00+02:00'], // nine o’clock stays nine o’clock
    ['2026-03-29T00:30:00Z', '2026-04-02T01:30:00+02:00'],
    ['2026-03-01T23:30:00-05:00', '2026-04-02T05:30:00+02:00'],
  ])('%s on another day is %s', (due, then) => {
    expect(onDay(due, '2026-04-02', zone)).toBe(then);
  });
});
