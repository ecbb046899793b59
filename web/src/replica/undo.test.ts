/**
 * What takes a change back.
 *
 * [Task]: T061
 */
import { expect, test } from 'vitest';
import { apply } from './apply';
import type { Change, Task } from './types';
import { inverseOf } from './undo';

const owner = { id: 'u', reminder_minutes: [30] };
const at = '2026-03-31T07:00:00.000Z';
const made = apply(
  undefined,
  { kind: 'create', id: 'a', key: 'k', body: { title: 'A', tags: ['home', 'x'], description: 'old' } },
  at,
  owner,
);
if (!made) throw new Error('a creation makes a task');
const task: Task = { ...made, version: 1 };
const done: Task = { ...task, id: 'd', status: 'completed', completed_at: at };
const view = new Map([task, done].map((t) => [t.id, t]));

const play = (from: Task | undefined, changes: readonly Change[]) =>
  changes.reduce<Task | undefined>((t, change) => apply(t, change, at, owner), from);

test.each<[Change[], Change[]]>([
  [[{ kind: 'create', id: 'n', key: 'k', body: { title: 'N' } }], [{ kind: 'delete', id: 'n' }]],
  [[{ kind: 'complete', id: 'a' }], [{ kind: 'reopen', id: 'a' }]],
  [[{ kind: 'complete', id: 'd' }], []],
  [[{ kind: 'reopen', id: 'd' }], [{ kind: 'complete', id: 'd' }]],
  [[{ kind: 'delete', id: 'a' }], [{ kind: 'restore', id: 'a', task }]],
  [[{ kind: 'restore', id: 'gone' }], [{ kind: 'delete', id: 'gone' }]],
  [
    [{ kind: 'update', id: 'a', patch: { title: 'B', priority: 'medium' } }],
    [{ kind: 'update', id: 'a', patch: { title: 'A' }, from: { title: 'B' } }],
  ],
  [
    [{ kind: 'update', id: 'a', patch: { recurrence_pattern: 'daily' } }],
    [{ kind: 'update', id: 'a', patch: { recurrence_pattern: null, due_date: null } }],
  ],
  [
    [{ kind: 'tags', id: 'a', add: ['HOME', 'new'], remove: ['X', 'nowhere'] }],
    [{ kind: 'tags', id: 'a', add: ['x'], remove: ['new'] }],
  ],
  [
    [{ kind: 'update', id: 'a', patch: { tags: ['home'] } }],
    [{ kind: 'tags', id: 'a', add: ['x'], remove: [] }],
  ],
])('%j', (changes, inverse) => {
  expect(inverseOf(changes, view, at, owner)).toEqual(inverse);
});

test('many changes are taken back in reverse, each over what the one before it left', () => {
  const changes: Change[] = [
    { kind: 'update', id: 'a', patch: { priority: 'high' } },
    { kind: 'update', id: 'a', patch: { priority: 'low', due_date: '2026-04-01' } },
    { kind: 'complete', id: 'a' },
    { kind: 'delete', id: 'a' },
    { kind: 'delete', id: 'd' },
  ];
  const inverse = inverseOf(changes, view, at, owner);
  const undone = play(
    play(task, changes.slice(0, 4)),
    inverse.filter((c) => c.id === 'a'),
  );
  expect(undone).toEqual({ ...task, updated_at: at });
  expect(inverse[0]).toEqual({ kind: 'restore', id: 'd', task: done });
});

test('what others changed since stays', () => {
  const change: Change = { kind: 'update', id: 'a', patch: { title: 'B' } };
  const inverse = inverseOf([change], view, at, owner);
  const since = play(task, [
    change,
    { kind: 'update', id: 'a', patch: { priority: 'high' } },
    { kind: 'tags', id: 'a', add: ['theirs'], remove: [] },
  ]);
  expect(play(since, inverse)).toMatchObject({ title: 'A', priority: 'high', tags: ['home', 'x', 'theirs'] });
});
