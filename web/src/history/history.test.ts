/**
 * History in words, typing as one step, and what undoing a step takes.
 *
 * [Task]: T034
 */
import { describe, expect, test } from 'vitest';
import { apply } from '../replica/apply';
import type { Task } from '../replica/types';
import { stepsOf, type Step } from './steps';
import { withNewest, withOlder, type Entry, type Trail } from './trail';
import { undoOf } from './undo';
import { actionText, actorText, stepText, valueText, type Reader } from './wording';

const owner = { id: 'u1', reminder_minutes: [30] };
const begin = '2026-03-31T07:00:00.000Z';
const reader: Reader = { id: 'u1', zone: 'Europe/Berlin', patternWords: (p) => `«${p}»` };

function task(over: Partial<Task> = {}): Task {
  const made = apply(undefined, { kind: 'create', id: 'a', key: 'k', body: { title: 'A' } }, begin, owner);
  if (!made) throw new Error('a creation makes a task');
  return { ...made, version: 1, ...over };
}

let version = 0;

function entry(
  over: Partial<Entry> & { changes?: Record<string, { old: unknown; new: unknown }> } = {},
): Entry {
  const { changes, ...rest } = over;
  version++;
  return {
    event_id: `e${version}`,
    log_id: `l${version}`,
    event_type: changes ? 'task.updated' : 'task.created',
    task_id: 'a',
    user_id: 'u1',
    list_id: 'u1',
    list_version: version,
    actor: { kind: 'user', id: 'u1', name: 'ada' },
    event_timestamp: begin,
    received_at: begin,
    payload: { task: {}, ...(changes && { changes }) },
    ...rest,
  };
}

function step(over: Parameters<typeof entry>[0]): Step {
  const [made] = stepsOf([entry(over)]);
  if (!made) throw new Error('an entry makes a step');
  return made;
}

const later = (seconds: number) => new Date(Date.parse(begin) + seconds * 1000).toISOString();

describe('wording', () => {
  test('who did it: oneself, a token, a service, somebody else', () => {
    expect(actorText({ kind: 'user', id: 'u1', name: 'ada' }, reader)).toBe('You');
    expect(actorText({ kind: 'user', id: 'u2', name: 'Bo' }, reader)).toBe('Bo');
    expect(actorText({ kind: 'token', id: 't', name: 'phone' }, reader)).toBe('You, by “phone”');
    expect(actorText({ kind: 'service', id: 'recurring-task', name: 'recurring-task' }, reader)).toBe(
      'Repetition',
    );
  });

  test('what was done, and to which fields', () => {
    expect(
      stepText(step({ changes: { title: { old: 'A', new: 'B' }, tags: { old: [], new: ['x'] } } })),
    ).toBe('changed Title and Tags');
    expect(stepText(step({ event_type: 'task.completed' }))).toBe('completed the task');
    const service = { kind: 'service', id: 'recurring-task', name: 'recurring-task' } as const;
    expect(actionText(step({ actor: service }))).toBe('added this occurrence of the series');
    expect(actionText(step({ changes: { occurrence: { old: '2026-03-31', new: '2026-04-01' } } }))).toBe(
      'moved the task within its series',
    );
    expect(actionText(step({ event_type: 'task.shared' }))).toMatch(/does not know/);
  });

  test('values as the panel shows them; what is empty has a word', () => {
    expect(valueText('due_date', '2026-03-31T07:00:00Z', reader)).toBe('Tue, Mar 31, 2026, 9:00 AM');
    expect(valueText('due_date', '2026-03-31', reader)).toBe('Tue, Mar 31, 2026');
    expect(valueText('due_date', null, reader)).toBe('no date');
    expect(valueText('tags', ['home', 'garden'], reader)).toBe('#home and #garden');
    expect(valueText('tags', [], reader)).toBe('none');
    expect(valueText('reminder_minutes', [0, 45, 60, 2880], reader)).toBe(
      'When it is due, 45 minutes before, 1 hour before, and 2 days before',
    );
    expect(valueText('recurrence_pattern', 'weekly', reader)).toBe('«weekly»');
    expect(valueText('priority', 'high', reader)).toBe('High');
  });
});

describe('steps', () => {
  const typing = (old: string, next: string, at: string, over: Partial<Entry> = {}) =>
    entry({ event_timestamp: at, changes: { description: { old, new: next } }, ...over });

  test('one sitting of typing is one step, from the first text to the last', () => {
    const made = stepsOf([
      typing('ab', 'abc', later(60)),
      typing('a', 'ab', later(30)),
      typing('', 'a', begin),
    ]);
    expect(made.map((s) => s.changes)).toEqual([[{ field: 'description', old: '', new: 'abc' }]]);
  });

  test('a text that is back where it was is the steps there and back, not one from itself to itself', () => {
    const made = stepsOf([
      typing('abc', 'a', later(60)),
      typing('ab', 'abc', later(30)),
      typing('a', 'ab', later(10)),
      typing('', 'a', begin),
    ]);
    expect(made.map(({ changes: [change] }) => [change?.old, change?.new])).toEqual([
      ['ab', 'a'],
      ['', 'ab'],
    ]);
    const title = (old: string, next: string, at: string) =>
      entry({ event_timestamp: at, changes: { title: { old, new: next } } });
    expect(stepsOf([title('B', 'A', later(5)), title('A', 'B', begin)])).toHaveLength(2);
  });

  test('a pause, another hand or another field begins a new one', () => {
    const other = { actor: { kind: 'user', id: 'u2', name: 'Bo' } } as const;
    expect(stepsOf([typing('a', 'b', later(400)), typing('', 'a', begin)])).toHaveLength(2);
    expect(stepsOf([typing('a', 'b', later(1), other), typing('', 'a', begin)])).toHaveLength(2);
    const title = entry({ event_timestamp: later(1), changes: { title: { old: 'A', new: 'B' } } });
    expect(stepsOf([title, typing('', 'a', begin)])).toHaveLength(2);
  });
});

describe('undo', () => {
  const now = Date.parse(begin) + 1000;

  test('the fields of the step go back, and no others', () => {
    const changed = step({
      changes: { title: { old: 'A', new: 'B' }, due_date: { old: null, new: '2026-04-01' } },
    });
    const undo = undoOf(changed, task({ title: 'B', due_date: '2026-04-01', priority: 'high' }), now);
    expect(undo).toMatchObject({
      possible: true,
      changes: [{ kind: 'update', id: 'a', patch: { title: 'A', due_date: null } }],
    });
  });

  test('what was changed again since is said to be replaced', () => {
    const undo = undoOf(step({ changes: { title: { old: 'A', new: 'B' } } }), task({ title: 'C' }), now);
    expect(undo).toMatchObject({ possible: true, effects: [{ overwrites: true }] });
  });

  test('tags of later steps stay', () => {
    const undo = undoOf(
      step({ changes: { tags: { old: ['x', 'y'], new: ['y', 'z'] } } }),
      task({ tags: ['y', 'Z', 'later'] }),
      now,
    );
    expect(undo).toMatchObject({ changes: [{ kind: 'tags', id: 'a', add: ['x'], remove: ['z'] }] });
  });

  test('completing, reopening, deleting and restoring are undone by each other', () => {
    const of = (type: string, status: Task['status'], at = now) =>
      undoOf(step({ event_type: type }), task({ status }), at);
    expect(of('task.completed', 'completed')).toMatchObject({ does: 'reopen' });
    expect(of('task.completed', 'pending')).toEqual({ possible: false, why: 'reopened' });
    expect(of('task.reopened', 'pending')).toMatchObject({ does: 'complete' });
    expect(of('task.deleted', 'deleted')).toMatchObject({ does: 'restore' });
    expect(of('task.deleted', 'pending')).toEqual({ possible: false, why: 'restored' });
    expect(of('task.deleted', 'deleted', now + 31 * 86_400_000)).toEqual({ possible: false, why: 'expired' });
    expect(of('task.restored', 'pending')).toMatchObject({ does: 'delete' });
    expect(of('task.completed', 'deleted')).toEqual({ possible: false, why: 'deleted' });
    expect(of('task.created', 'pending')).toEqual({ possible: false, why: 'created' });
    expect(of('task.shared', 'pending')).toEqual({ possible: false, why: 'unknown' });
  });

  test('what is as it was before has nothing to undo', () => {
    const undo = undoOf(step({ changes: { title: { old: 'A', new: 'B' } } }), task({ title: 'A' }), now);
    expect(undo).toEqual({ possible: false, why: 'same' });
  });
});

describe('the trail', () => {
  const trail = (versions: number[], next?: string): Trail => ({
    entries: versions.map((list_version) => entry({ list_version })),
    listVersion: versions[0] ?? 0,
    next,
  });
  const versions = ({ entries }: Trail) => entries.map((e) => e.list_version);

  test('what is new goes on top, and what was loaded stays', () => {
    const now = withNewest(withOlder(trail([5, 4], 'c4'), trail([3, 2], 'c2')), trail([7, 6, 5, 4], 'c4'));
    expect(versions(now)).toEqual([7, 6, 5, 4, 3, 2]);
    expect(now.next).toBe('c2');
    expect(now.listVersion).toBe(7);
  });

  test('a page that does not reach down to what is here begins anew', () => {
    expect(versions(withNewest(trail([5, 4], 'c4'), trail([99, 98], 'c98')))).toEqual([99, 98]);
  });

  test('nothing new changes nothing', () => {
    expect(versions(withNewest(trail([5, 4]), trail([5, 4])))).toEqual([5, 4]);
  });
});
