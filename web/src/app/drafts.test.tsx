/**
 * Drafts outlive their editor, a reload, and their tab.
 *
 * [Task]: T061
 */
import { act, cleanup, renderHook } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';
import type { User } from './session';

const user = { id: 'u1' } as User;

/** The module as a page that has just loaded has it. */
async function load() {
  vi.resetModules();
  const { useDraft, forgetDrafts } = await import('./drafts');
  const { UserProvider } = await import('./user');
  const use = (name: string, who = user) =>
    renderHook(useDraft<string>, {
      initialProps: name,
      wrapper: ({ children }) => <UserProvider value={who}>{children}</UserProvider>,
    }).result;
  return { use, forgetDrafts };
}

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
});

test('a draft is there again after its editor went, and after a reload', async () => {
  const page = await load();
  const draft = page.use('quickadd');
  act(() => draft.current[1]('Call An'));
  cleanup();
  expect(page.use('quickadd').current[0]).toBe('Call An');
  expect(page.use('title:1').current[0]).toBeUndefined();
  expect((await load()).use('quickadd').current[0]).toBe('Call An');
});

test('a closed tab leaves its drafts to the next tab, once', async () => {
  const page = await load();
  const draft = page.use('quickadd');
  act(() => draft.current[1]('Call An'));
  dispatchEvent(new Event('pagehide'));
  sessionStorage.clear(); // another tab has its own
  expect((await load()).use('quickadd').current[0]).toBe('Call An');
  expect(Object.keys(localStorage)).toEqual([]);
});

test('nobody sees another user’s draft, and signing out forgets one’s own', async () => {
  const page = await load();
  const draft = page.use('quickadd');
  act(() => draft.current[1]('secret'));
  expect(page.use('quickadd', { id: 'u2' } as User).current[0]).toBeUndefined();
  act(() => page.forgetDrafts('u1'));
  expect((await load()).use('quickadd').current[0]).toBeUndefined();
});
