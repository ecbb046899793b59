import { afterEach, expect, test, vi } from 'vitest';
import { Choices, type Choice } from './choices';
import { flush } from './notify';

const about = { notification_id: 'n1', task_id: 't1', title: 'Pay rent', message: 'Pay rent (due today)' };
const ada = { ...about, user_id: 'ada' };
const passed = { kind: 'snooze', until: '2026-06-04T10:00:00Z' } as const;

afterEach(() => {
  vi.unstubAllGlobals();
  vi.stubGlobal('indexedDB', new IDBFactory());
});

/** Has the worker send a choice to a server that answers so; returns the titles of what it shows then. */
async function shown(choice: Choice, status: number, code: string): Promise<string[]> {
  const titles: string[] = [];
  vi.stubGlobal('self', {
    navigator: { locks: { request: (_: string, work: () => unknown) => work() } },
    registration: { showNotification: (title: string) => Promise.resolve(void titles.push(title)) },
  });
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify({ code }), { status })));
  const choices = await Choices.open();
  await choices.add(choice);
  choices.close();
  await flush();
  return titles;
}

test.each([
  ['refused', { kind: 'done', about: ada }, 404, 'not_found', ['Pay rent']],
  ['too late', { ...passed, about: ada }, 400, 'validation_failed', ['Pay rent']],
  ['another is signed in', { kind: 'done', about: ada }, 401, 'other_user', []],
  ['too late, another is signed in', { ...passed, about: ada }, 401, 'other_user', []],
  ['refused, of an earlier version', { kind: 'done', about }, 404, 'not_found', []],
  ['too late, of an earlier version', { ...passed, about }, 400, 'validation_failed', ['A task is due']],
] as [string, Choice, number, string, string[]][])(
  '%s: a task is named to its user only',
  async (_, choice, status, code, titles) => {
    expect(await shown(choice, status, code)).toEqual(titles);
  },
);
