import { afterEach, expect, test, vi } from 'vitest';
import { Choices, type Choice, type Outcome } from './choices';

const before = Date.parse('2026-06-04T09:50:00Z');
const days = 24 * 60 * 60_000;
const about = { notification_id: 'n1', task_id: 't1', title: 'Pay rent', message: 'Pay rent (due today)' };
const done: Choice = { kind: 'done', about: { ...about, user_id: 'ada' }, at: before };
const snooze: Choice = { ...done, kind: 'snooze', until: '2026-06-04T10:00:00Z' };
const bens: Choice = { ...done, about: { ...about, task_id: 't2', user_id: 'ben' } };

afterEach(() => {
  vi.unstubAllGlobals();
  vi.stubGlobal('indexedDB', new IDBFactory());
});

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

/** A server that somebody is signed in to, who owns `t1` if it is Ada, `t2` if it is Ben; returns what it has done. */
function signedIn(user: 'ada' | 'ben'): string[] {
  const did: string[] = [];
  const refuse = (status: number, code: string) =>
    Promise.resolve(new Response(JSON.stringify({ code, detail: code }), { status }));
  vi.stubGlobal('fetch', (path: string, { headers, body }: RequestInit) => {
    const meant = new Headers(headers).get('Docket-User');
    if (meant !== null && meant !== user) return refuse(401, 'other_user');
    if (body) return refuse(400, 'validation_failed'); // the moment to be reminded has passed
    if (path.startsWith('/api/tasks') && !path.includes(user === 'ada' ? 't1' : 't2'))
      return refuse(404, 'not_found');
    did.push(path);
    return Promise.resolve(new Response(null, { status: 204 }));
  });
  return did;
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
  for (let tries = 0; tries < 3; tries++)
    expect(await flush()).toEqual({ waits: true, told: [{ state: 'later' }] });
  expect(await flush()).toEqual({ waits: false, told: [{ state: 'away', other: false }] });
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

test('what one chose is not done for another, and does not hold up what they choose', async () => {
  await choose(done, snooze, bens);
  const forBen = signedIn('ben');
  expect(await flush()).toEqual({ waits: false, told: [{ state: 'away', other: true }] });
  expect(forBen).toEqual(['/api/tasks/t2/complete', '/api/notifications/n1/read']);

  const forAda = signedIn('ada');
  expect(await flush(Date.parse(snooze.until))).toEqual({ waits: false, told: [{ state: 'passed' }] });
  expect(forAda).toEqual(['/api/tasks/t1/complete', '/api/notifications/n1/read']);
});

test('who does not come back for 30 days is not waited for any longer', async () => {
  await choose(done);
  signedIn('ben');
  await flush(before + 30 * days - 1);
  await flush(before + 30 * days);
  const forAda = signedIn('ada');
  await flush(before + 30 * days);
  expect(forAda).toEqual([]);
});

test('a choice of an earlier version, which names no user, waits as long as nobody is signed in', async () => {
  await choose({ kind: 'done', about });
  answering(401);
  await flush(before + 300 * days);
  const forAda = signedIn('ada');
  expect(await flush(before + 300 * days)).toEqual({ waits: false, told: [] });
  expect(forAda).toEqual(['/api/tasks/t1/complete', '/api/notifications/n1/read']);
});

test('a snooze whose moment came before it could be sent reminds instead', async () => {
  await choose(snooze);
  answering('nothing', 400);
  const moment = Date.parse(snooze.until);
  expect(await flush(moment)).toEqual({ waits: true, told: [{ state: 'later' }] });
  expect(await flush(moment)).toEqual({ waits: false, told: [{ state: 'passed' }] });
  expect(await flush(moment)).toEqual({ waits: false, told: [] });
});
