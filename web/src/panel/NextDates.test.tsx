/**
 * When a task comes again: after the due date that it has, which is not said twice.
 *
 * [Task]: T042
 */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, screen, waitFor } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { NextDates } from './NextDates';

afterEach(() => vi.unstubAllGlobals());

/** Shows the dates of a task with that due date, where the server previews these. */
function preview(due: string | null, ...due_dates: string[]): void {
  const answer = JSON.stringify({ words: 'every day', due_dates });
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(answer)));
  render(
    <QueryClientProvider client={new QueryClient()}>
      <NextDates pattern="daily" due={due} zone="UTC" />
    </QueryClientProvider>,
  );
}

const shown = () => screen.queryAllByRole('listitem').map((item) => item.textContent);

test('they begin with the first after the due date', async () => {
  preview('2026-03-31', '2026-03-31', '2026-04-01', '2026-04-02');
  await waitFor(() => expect(shown()).toEqual(['Wed, Apr 1, 2026', 'Thu, Apr 2, 2026']));
});

test('a task without a due date gets the first of them', async () => {
  preview(null, '2026-03-31', '2026-04-01');
  await waitFor(() => expect(shown()).toEqual(['Tue, Mar 31, 2026', 'Wed, Apr 1, 2026']));
});

test('where the repetition ends with the due date, that is said', async () => {
  preview('2026-03-31', '2026-03-31');
  await screen.findByText('None: it ends with this due date.');
  expect(shown()).toEqual([]);
});
