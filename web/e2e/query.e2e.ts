/**
 * The replica finds what the server finds, in the same order: both are asked the same over the same tasks.
 *
 * [Task]: T061, T062
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeFilter } from '../src/filter/url';
import { find, type Query } from '../src/replica/query';
import type { Task } from '../src/replica/types';
import { Server } from './server';

const titles = [
  'Straße',
  'STRASSE',
  'ΜΙΚΡΟΣ',
  'µικρος',
  'μικροσ',
  'Kelvin K',
  'kelvin k',
  '😀 face',
  'ﬀ ligature',
  'éa',
  'Éa',
];
const dues = [
  null,
  '2026-03-28',
  '2026-03-29',
  '2026-03-29T02:30:00', // skipped in Berlin
  '2026-03-29T03:15:00',
  '2026-03-30T00:00:00+02:00',
  '2026-03-29T22:00:00Z',
  '2026-10-25T02:30:00', // twice in Berlin
  '2026-10-25T01:30:00Z',
];
const priorities = ['high', 'medium', 'low'] as const;
const tags = ['home', 'Häuser', 'WORK'];

function queries(): Query[] {
  const out: Query[] = [{}];
  for (const sortBy of ['created_at', 'updated_at', 'due_date', 'priority', 'title'] as const) {
    out.push(
      { sortBy },
      { sortBy, descending: true },
      { sortBy, descending: false, priorities: ['high', 'low'] },
    );
  }
  for (const search of ['strasse', 'straße', 'ΜΙΚΡΟΣ', 'k', 'É', '😀', '(a+', 'ff']) out.push({ search });
  for (const tag of ['HOME', 'häuser', 'nowhere']) out.push({ tags: [tag] });
  for (const day of ['2026-03-29', '2026-03-30', '2026-10-25'])
    out.push({ dueBefore: day }, { dueAfter: day, sortBy: 'due_date' });
  out.push(
    { statuses: ['completed'] },
    { statuses: ['pending'], tags: ['home', 'work'], dueBefore: '2026-10-26' },
  );
  return out;
}

describe('the replica’s queries', () => {
  let server: Server;
  let tasks: Task[];

  beforeAll(async () => {
    server = await Server.start();
    await server.api('PATCH', '/api/me', { time_zone: 'Europe/Berlin' });
    const changes = titles.flatMap((title, i) =>
      dues.map((due_date, j) => ({
        op: 'create',
        body: {
          title,
          description: j % 2 ? 'Ein Text (a+b) für ÉCLAIRS' : '',
          due_date,
          priority: priorities[(i + j) % 3],
          tags: tags.filter((_, k) => (i + j + k) % 2 === 0),
        },
      })),
    );
    await server.api('POST', '/api/tasks/batch', { changes });
    const all = (await (await server.api('GET', '/api/tasks?limit=200')).json()) as Task[];
    for (const task of all.filter((_, i) => i % 7 === 0))
      await server.api('POST', `/api/tasks/${task.id}/complete`);
    tasks = (await (await server.api('GET', '/api/tasks?limit=200&sort_by=title')).json()) as Task[];
  });
  afterAll(() => server.stop());

  test.each(queries())('%j', async (query) => {
    const params = writeFilter(query);
    params.set('limit', '200');
    const theirs = (await (await server.api('GET', `/api/tasks?${params.toString()}`)).json()) as Task[];
    const ours = find(tasks, query, 'Europe/Berlin');
    expect(ours.map((t) => `${t.title} ${t.due_date} ${t.id}`)).toEqual(
      theirs.map((t) => `${t.title} ${t.due_date} ${t.id}`),
    );
  });
});
