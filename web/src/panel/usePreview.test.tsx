/**
 * How repetition is told in words: what the client knows at once, the rest as the server says it for that date.
 *
 * [Task]: T061
 */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { renderHook, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, expect, test, vi } from 'vitest';
import { usePatternWords } from './usePreview';

const client = new QueryClient();
const wrapper = ({ children }: { children: ReactNode }) => (
  <QueryClientProvider client={client}>{children}</QueryClientProvider>
);

/** A server that says back what it was asked, and refuses what is no rule; `asked` holds the questions. */
function server(): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', (_: string, init: RequestInit) => {
    const body = JSON.parse(init.body as string) as { recurrence_pattern: string; due_date?: string };
    asked.push(body.recurrence_pattern);
    if (!body.recurrence_pattern.startsWith('RRULE:'))
      return Promise.resolve(new Response('{}', { status: 400 }));
    const words = `${body.recurrence_pattern} from ${body.due_date ?? 'any day'}`;
    return Promise.resolve(new Response(JSON.stringify({ words, due_dates: [] })));
  });
  return asked;
}

afterEach(() => {
  client.clear();
  vi.unstubAllGlobals();
});

test('a pattern with a name is known at once, and nobody is asked', () => {
  const asked = server();
  const { result } = renderHook(() => usePatternWords(['daily', 'daily']), { wrapper });
  expect([result.current('daily'), asked]).toEqual(['every day', []]);
});

test('the same rule from another date has words of its own', async () => {
  server();
  const words = (due: string | null) =>
    renderHook(() => usePatternWords(['daily', 'RRULE:FREQ=MONTHLY'], due)('RRULE:FREQ=MONTHLY'), {
      wrapper,
    });
  const [one, other, none] = [words('2026-03-31'), words('2026-04-01'), words(null)];
  expect(one.result.current).toBe('');
  await waitFor(() => expect(one.result.current).toBe('RRULE:FREQ=MONTHLY from 2026-03-31'));
  await waitFor(() => expect(other.result.current).toBe('RRULE:FREQ=MONTHLY from 2026-04-01'));
  await waitFor(() => expect(none.result.current).toBe('RRULE:FREQ=MONTHLY from any day'));
});

test('a rule that the server does not take is shown as it is', async () => {
  server();
  const { result } = renderHook(() => usePatternWords(['FREQ=NEVER'])('FREQ=NEVER'), { wrapper });
  await waitFor(() => expect(result.current).toBe('FREQ=NEVER'));
});
