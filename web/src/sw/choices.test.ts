import { afterEach, expect, test, vi } from 'vitest';
import { Choices, type Choice, type Outcome } from './choices';

const about = { notification_id: 'n1', task_id: 't1', title: 'Pay rent', message: 'Pay rent (due today)' };
const done: Choice = { kind: 'done', about };
const snooze: Choice = { kind: 'snooze', about, until: '2026-06-04T10:00:00Z' };
const before = Date.parse('2026-06-04T09:50:00Z');

afterEach(() => vi.unstubAllGlobals());

/** A server that gives these answers, one after the other; returns what it was asked. */
function answering(...answers: (number | 'nothing')[]): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', (path: string) => {
    asked.push(path);
    const status = answers.shift() ?? 204;
    if (status === 'nothing') return Promise.reject(new TypeError('network'));
    return Promise.resolve(new Response(status === 204 ? null : '{"detail":"it is gone"}', { status }));
  });
  return asked;
}

async function flush(now = before): Promise<{ waits: boolean; told: Outcome[] }> {
  const choices = await Choices.open();
  const told: Outcome[] = [];
  const waits = await choices.flush(
    () => now,
    (_, outcome) => Promise.resolve(void told.push(outcome)),
  );
  choices.close();
  return { waits, told };
}

async function choose(...all: Choice[]): Promise<void> {
  const choices = await Choices.open();
  for (const choice of all) await choices.add(choice);
  choices.close();
}

test('what was chosen waits until the server has it, in order', async () => {
  await choose(done, snooze);
  const asked = answering('nothing', 503, 429, 401);
  for (const signedOut of [false, false, false, true])
    expect(await flush()).toEqual({ waits: true, told: [{ state: 'later', signedOut }] });
  expect(asked).toEqual(Array(4).fill('/api/tasks/t1/complete'));

  const later = answering(204, 204, 202);
  expect(await flush()).toEqual({ waits: false, told: [] });
  expect(later).toEqual([
    '/api/tasks/t1/complete',
    '/api/notifications/n1/read',
    '/api/notifications/n1/snooze',
  ]);
  expect(await flush()).toEqual({ waits: false, told: [] });
  expect(later).toHaveLength(3);
});

test('a refusal is told and does not hold up what comes after it', async () => {
  await choose(snooze, done);
  answering(409);
  expect(await flush()).toEqual({ waits: false, told: [{ state: 'refused', why: 'it is gone' }] });
});

test('a snooze whose moment came without a network reminds instead', async () => {
  await choose(snooze);
  const asked = answering();
  expect(await flush(Date.parse(snooze.until))).toEqual({ waits: false, told: [{ state: 'passed' }] });
  expect(asked).toEqual([]);
});
