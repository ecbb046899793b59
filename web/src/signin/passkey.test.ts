/**
 * Passkeys that the browser offers where the name is typed, and when it stops to.
 *
 * [Task]: T006
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Problem } from '../api/client';
import { offerPasskeys } from './passkey';

/** What was asked of the server. */
let calls: string[];
/** What the server says of what was chosen: the last one again and again. */
let verdicts: number[];
/** What the browser was asked, and how to answer. */
let asked: { options: CredentialRequestOptions; choose: () => void }[];
/** What ends each offer, as its time does. */
let ending: AbortController[];
let available: boolean;
let visibility: DocumentVisibilityState;
const failed = vi.fn();

beforeEach(() => {
  calls = [];
  asked = [];
  ending = [];
  verdicts = [201];
  available = true;
  visibility = 'visible';
  failed.mockReset();
  vi.spyOn(document, 'visibilityState', 'get').mockImplementation(() => visibility);
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((milliseconds) => {
    const time = new AbortController();
    if (milliseconds > 60_000) ending.push(time); // others are of requests
    return time.signal;
  });
  vi.stubGlobal('PublicKeyCredential', {
    isConditionalMediationAvailable: () => Promise.resolve(available),
    parseRequestOptionsFromJSON: (json: unknown) => json,
  });
  vi.stubGlobal('fetch', (url: string) => {
    calls.push(url);
    const status = url.endsWith('start')
      ? 200
      : ((verdicts.length > 1 ? verdicts.shift() : verdicts[0]) ?? 0);
    const body =
      status === 400
        ? { code: 'unknown_passkey' }
        : { public_key: { challenge: calls.length }, user: { id: 'ada' } };
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  });
  vi.stubGlobal('navigator', {
    credentials: {
      get: (options: CredentialRequestOptions) =>
        new Promise((resolve, reject) => {
          asked.push({ options, choose: () => resolve({ toJSON: () => ({ id: 'key' }) }) });
          options.signal?.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
        }),
    },
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Offers, and returns once the browser was asked. */
async function offered() {
  const leaving = new AbortController();
  const done = offerPasskeys(leaving.signal, failed);
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  return { leaving, done };
}

test('what is chosen signs in, and the offer is over', async () => {
  const { done } = await offered();
  expect(asked[0]?.options.mediation).toBe('conditional');
  asked[0]?.choose();
  await done;
  expect(calls).toEqual(['/api/session/passkey/start', '/api/session/passkey/finish']);
  expect(failed).not.toHaveBeenCalled();
});

test('an offer is made anew before its attempt ends, also after a passkey that was refused', async () => {
  verdicts = [400, 201];
  const { done } = await offered();
  asked[0]?.choose();
  await vi.waitFor(() => expect(failed).toHaveBeenCalledOnce());
  expect(failed.mock.calls[0]?.[0]).toBeInstanceOf(Problem);
  expect(asked).toHaveLength(1);
  ending[0]?.abort();
  await vi.waitFor(() => expect(asked).toHaveLength(2));
  expect(calls.filter((url) => url.endsWith('start'))).toHaveLength(2); // each is an attempt of its own
  ending[1]?.abort();
  await vi.waitFor(() => expect(asked).toHaveLength(3));
  expect(asked[1]?.options.signal?.aborted).toBe(true);
  asked[2]?.choose();
  await done;
  expect(failed).toHaveBeenCalledOnce();
});

test('leaving takes the offer back', async () => {
  const { leaving, done } = await offered();
  leaving.abort();
  await done;
  expect(asked[0]?.options.signal?.aborted).toBe(true);
  expect(asked).toHaveLength(1);
  expect(failed).not.toHaveBeenCalled();
});

test('a tab that is not seen begins no attempt', async () => {
  visibility = 'hidden';
  const leaving = new AbortController();
  const done = offerPasskeys(leaving.signal, failed);
  document.dispatchEvent(new Event('visibilitychange'));
  await new Promise((resolve) => setTimeout(resolve)); // all that could have begun has
  expect(calls).toEqual([]);
  visibility = 'visible';
  document.dispatchEvent(new Event('visibilitychange'));
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  leaving.abort();
  await done;
});

test('a browser without this is asked nothing', async () => {
  available = false;
  await offerPasskeys(new AbortController().signal, failed);
  expect(calls).toEqual([]);
});
