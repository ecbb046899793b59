/**
 * What one change costs with ten thousand tasks: the view, the list on the page, and the numbers beside it.
 * `npx vitest bench --run`; the aim is 8 ms for all three on a quiet machine, half a frame.
 *
 * [Task]: T061, T069
 */
import { bench, describe } from 'vitest';
import { countsOf, listOf } from '../tasks/views';
import { apply } from './apply';
import { Base } from './base';
import { addDays } from './due';
import type { Pending, Task } from './types';
import { View } from './view';

const owner = { id: 'u', reminder_minutes: [30] };
const zone = 'Europe/Berlin';
const now = Date.parse('2026-03-31T07:00:00Z');

function task(i: number): Task {
  const day = addDays('2026-03-31', ((i * 7919) % 400) - 30);
  const body = {
    title: `Task ${i} with a title of usual length`,
    description: i % 5 === 0 ? 'A description.\n- [ ] one\n- [ ] two' : '',
    due_date: i % 3 === 0 ? null : i % 3 === 1 ? day : `${day}T09:30:00`,
    tags: i % 2 === 0 ? ['home', `tag${i % 40}`] : [],
  };
  const id = `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`;
  const at = new Date(now - i * 60_000).toISOString();
  const made = apply(undefined, { kind: 'create', id, key: 'k', body }, at, owner);
  if (!made) throw new Error('a creation makes a task');
  return { ...made, version: 1 };
}

describe('one change among 10,000 tasks', () => {
  const base = new Base();
  const tasks = Array.from({ length: 10_000 }, (_, i) => task(i));
  for (const one of tasks) base.put(one, 1);
  const view = new View(base, owner);
  view.refresh([], base.takeTouched());
  let seq = 0;
  const change = () => {
    const one = tasks[(seq * 31) % tasks.length];
    const due_date = addDays('2026-04-01', ++seq % 300);
    const pending: Pending[] = [
      { seq, at: '', change: { kind: 'update', id: one?.id ?? '', patch: { due_date } } },
    ];
    view.refresh(pending, base.takeTouched());
  };

  bench('the view', change);
  bench('the view, the list and its numbers', () => {
    change();
    listOf(view.tasks.values(), 'all', {}, now, zone);
    countsOf(view.tasks.values(), now, zone);
  });
  bench('a search', () => {
    listOf(view.tasks.values(), 'all', { search: 'usual' }, now, zone);
  });
});
