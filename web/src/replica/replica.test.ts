/**
 * The replica's pure parts: what is known, what shows, and ids.
 *
 * [Task]: T061, T068
 */
import { describe, expect, test } from 'vitest';
import { apply, changedTags } from './apply';
import { Base } from './base';
import { dayOf, dueKey, instant } from './due';
import { keyedTaskId } from './taskid';
import type { Change, Pending, Task } from './types';
import { View } from './view';

const owner = { id: '018f2c00-0000-7000-8000-000000000001', reminder_minutes: [30] };
const at = '2026-03-31T07:00:00.000Z';

function task(over: Partial<Task> = {}): Task {
  const made = apply(undefined, { kind: 'create', id: 'a', key: 'k', body: { title: 'A' } }, at, owner);
  if (!made) throw new Error('a creation makes a task');
  return { ...made, version: 1, ...over };
}

describe('base', () => {
  test('the newest version wins, in whatever order messages come', () => {
    const base = new Base();
    base.put(task({ version: 3, title: 'new' }), 9);
    base.put(task({ version: 2, title: 'old' }), 5);
    expect(base.get('a')?.title).toBe('new');
  });

  test('what was deleted is not brought back by an older answer, but by a newer one', () => {
    const base = new Base();
    base.put(task({ version: 1 }), 1);
    base.remove('a', 4);
    base.put(task({ version: 2 }), 3);
    expect(base.get('a')).toBeUndefined();
    base.put(task({ version: 4 }), 5);
    expect(base.get('a')?.version).toBe(4);
  });

  test('an old deletion does not take away what was restored since', () => {
    const base = new Base();
    base.put(task({ version: 4 }), 5);
    base.remove('a', 4);
    expect(base.get('a')).toBeDefined();
  });

  test('a load drops what none of its pages had, and nothing that an update brought meanwhile', () => {
    const base = new Base();
    base.put(task({ id: 'gone' }), 2);
    base.put(task({ id: 'there' }), 2);
    base.put(task({ id: 'there' }), 10);
    base.put(task({ id: 'new' }), 11);
    base.sweep(10);
    expect([...base.known()].map((k) => k.task.id)).toEqual(['there', 'new']);
    expect(base.takeDirty().map((d) => d.id)).toEqual(['gone', 'there', 'new']);
    expect(base.takeDirty()).toEqual([]);
  });
});

describe('the view', () => {
  const pending = (...changes: Change[]): Pending[] =>
    changes.map((change, i) => ({ seq: i + 1, change, at }));

  test('shows the user’s changes on top of what the server said, in order', () => {
    const base = new Base();
    base.put(task(), 1);
    const view = new View(base, owner);
    view.refresh(
      pending(
        { kind: 'update', id: 'a', patch: { title: ' B ', due_date: '2026-04-01', priority: null } },
        { kind: 'tags', id: 'a', add: ['Home'], remove: [] },
        { kind: 'tags', id: 'a', add: ['home', 'x'], remove: ['X'] },
        { kind: 'complete', id: 'a' },
        { kind: 'create', id: 'b', key: 'k2', body: { quick: 'Call Anna tomorrow' } },
        { kind: 'delete', id: 'c' },
      ),
      base.takeTouched(),
    );
    expect(view.tasks.get('a')).toMatchObject({
      title: 'B',
      due_date: '2026-04-01',
      priority: 'medium',
      tags: ['Home', 'x'],
      status: 'completed',
      completed_at: at,
    });
    expect(view.tasks.get('b')).toMatchObject({
      title: 'Call Anna tomorrow',
      status: 'pending',
      reminder_minutes: [30],
    });
  });

  test('a deleted task that is restored shows at once, as it was', () => {
    const base = new Base();
    base.put(task(), 1);
    const view = new View(base, owner);
    const shown = task({ title: 'as it was' });
    view.refresh(
      pending({ kind: 'delete', id: 'a' }, { kind: 'restore', id: 'a', task: shown }),
      base.takeTouched(),
    );
    expect(view.tasks.get('a')).toEqual(shown);
  });

  test('what nothing touches stays the same object, and so does the whole where nothing changes', () => {
    const base = new Base();
    base.put(task(), 1);
    base.put(task({ id: 'b' }), 1);
    const view = new View(base, owner);
    view.refresh(pending({ kind: 'update', id: 'a', patch: { tags: ['x'] } }), base.takeTouched());
    const { tasks } = view;
    view.refresh(pending({ kind: 'update', id: 'a', patch: { tags: ['x'] } }), base.takeTouched());
    expect(view.tasks).toBe(tasks);
    base.put(task({ id: 'b', version: 2, title: 'B' }), 2);
    view.refresh([], base.takeTouched());
    expect(view.tasks).not.toBe(tasks);
    expect(view.tasks.get('a')).toBe(base.get('a'));
    expect(tasks.get('b')?.title).toBe('A');
  });

  test('a creation that the server has acknowledged meanwhile changes nothing', () => {
    const known = task({ title: 'as the server has it', version: 7 });
    expect(apply(known, { kind: 'create', id: 'a', key: 'k', body: { title: 'A' } }, at, owner)).toBe(known);
  });
});

test('tags are the same whatever their case, as the server folds it', () => {
  expect(changedTags(['Straße', 'ΜΙΚΡΟΣ'], ['STRASSE', 'µικρος', ' x ', 'X'], ['nowhere'])).toEqual([
    'Straße',
    'ΜΙΚΡΟΣ',
    'STRASSE', // not Straße: folding keeps the number of letters
    'x',
  ]);
  expect(changedTags(['Home', 'work'], ['HOME'], ['home'])).toEqual(['work', 'HOME']);
});

test('a task’s id is known before the server makes it', () => {
  // As event.KeyedTaskID answers; the second name is longer than one block of SHA-1.
  expect(keyedTaskId(owner.id, 'k1')).toBe('9289ac0d-8270-5c92-aacb-251c22eaca93');
  expect(keyedTaskId(owner.id, 'a key of more than sixty-four bytes, so that two blocks are hashed: ä')).toBe(
    'b89991c8-82c0-59a3-bb6b-7041f8ab85e4',
  );
});

describe('due dates', () => {
  const berlin = 'Europe/Berlin';
  test.each([
    ['2026-03-29T02:30:00', '2026-03-29T01:30:00Z'], // skipped: moves to 03:30
    ['2026-10-25T02:30:00', '2026-10-25T00:30:00Z'], // twice: the first
    ['2026-03-31', '2026-03-31T22:00:00Z'], // the end of the day
    ['2026-03-31T09:00:00+02:00', '2026-03-31T07:00:00Z'],
  ])('%s is due at %s', (due, at) => {
    expect(instant(due, berlin) * 1000).toBe(Date.parse(at));
  });

  test('a day comes before what is due at the midnight that ends it', () => {
    expect(dueKey('2026-03-31', berlin)).toBeLessThan(dueKey('2026-04-01T00:00:00', berlin));
  });

  test('an instant falls on the user’s day', () => {
    expect(dayOf('2026-03-31T23:30:00Z', berlin)).toBe('2026-04-01');
  });
});
