/**
 * The end of an account where no answer says what became of it.
 *
 * [Task]: T006
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Problem } from '../api/client';
import { Invalid } from '../app/submit';
import { deleteAccount } from './deletion';

type Answer = number | { status: number; code: string } | 'silence';

let answers: Answer[];
let calls: string[];
const doubt = vi.fn();

beforeEach(() => {
  calls = [];
  doubt.mockReset();
  vi.useFakeTimers();
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    calls.push(`${init.method ?? ''} ${url} ${new Headers(init.headers).get('Docket-User') ?? ''}`);
    const answer = answers.shift();
    if (answer === undefined || answer === 'silence') return Promise.reject(new TypeError('Failed to fetch'));
    const { status, code } = typeof answer === 'number' ? { status: answer, code: 'unauthorized' } : answer;
    return Promise.resolve(new Response(status === 204 ? null : JSON.stringify({ code }), { status }));
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Deletes with those answers, and returns what comes of it, or what it fails with. */
async function outcomeOf(...given: Answer[]): Promise<unknown> {
  answers = given;
  const outcome = deleteAccount('ada', { password: 'x' }, doubt, new AbortController().signal).catch(
    (error: unknown) => error,
  );
  await vi.runAllTimersAsync();
  return outcome;
}

test('an answer leaves no doubt', async () => {
  expect(await outcomeOf(204)).toBe(true);
  expect(await outcomeOf({ status: 400, code: 'wrong_code' })).toBeInstanceOf(Problem);
  expect(await outcomeOf({ status: 429, code: 'rate_limited' })).toBeInstanceOf(Problem);
  expect(doubt).not.toHaveBeenCalled();
  expect(calls).toEqual(['DELETE /api/me ada', 'DELETE /api/me ada', 'DELETE /api/me ada']);
});

test('without an answer no more is known than that the server does not know the user any more', async () => {
  expect(await outcomeOf('silence', 'silence', 503, 401)).toBe(false);
  expect(doubt).toHaveBeenCalledOnce();
  expect(calls.slice(1)).toEqual(Array(3).fill('GET /api/me ada'));
});

test.each(['silence', 500, 503] as const)(
  'after %s it is not deleted while the server knows the user',
  async (first) => {
    const error = await outcomeOf(first, 'silence', 200);
    expect(error).toBeInstanceOf(Invalid);
    expect(String(error)).toContain('still there');
  },
);

test('nothing is concluded from another user being signed in', async () => {
  expect(await outcomeOf('silence', { status: 401, code: 'other_user' })).toBeInstanceOf(Problem);
});

test('nobody asks on when the form is closed', async () => {
  answers = ['silence'];
  const closing = new AbortController();
  const outcome = deleteAccount('ada', { password: 'x' }, () => closing.abort(), closing.signal);
  await expect(outcome).rejects.toThrow();
});
