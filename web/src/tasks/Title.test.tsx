/**
 * What is typed into a title in the list, and what becomes of it.
 *
 * [Task]: T061
 */
import { cleanup, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { UserProvider } from '../app/user';
import type { User } from '../app/session';
import { ReplicaProvider, type Replica } from '../replica/store';
import type { Change, Task } from '../replica/types';
import { Title } from './Title';

const task = { id: 'a', title: 'Water the plants', status: 'pending' } as Task;

/** The row of a task whose title is being edited; `change` is what the replica does. */
function edit(change: (...changes: Change[]) => Promise<void>): HTMLInputElement {
  cleanup();
  const replica: Pick<Replica, 'change'> = { change };
  render(
    <UserProvider value={{ id: 'u1' } as User}>
      <ReplicaProvider value={replica as Replica}>
        <div data-task="a" tabIndex={-1}>
          <Title task={task} tabIndex={0} editing onEdit={() => undefined} />
        </div>
      </ReplicaProvider>
    </UserProvider>,
  );
  return screen.getByRole('textbox');
}
const stored = () => Object.keys(sessionStorage);

afterEach(() => {
  cleanup();
  sessionStorage.clear();
});

test('what was typed is there when the page went without it being entered, and Enter keeps it', async () => {
  const change = vi.fn(() => Promise.resolve());
  await userEvent.type(edit(change), ' today');
  expect(JSON.parse(sessionStorage.getItem('docket.draft.u1.title:a') ?? '')).toEqual({
    text: 'Water the plants today',
    from: 'Water the plants',
  });
  const again = edit(change);
  expect(again.value).toBe('Water the plants today');
  change.mockClear();
  await userEvent.type(again, '{Enter}');
  const patch = { title: 'Water the plants today' };
  expect(change.mock.calls).toEqual([
    [{ kind: 'update', id: 'a', patch, from: { title: 'Water the plants' } }],
  ]);
  await waitFor(() => expect(stored()).toEqual([]));
});

test('one of more than 255 characters, as people count them, stays there whole until it is shortened', async () => {
  const change = vi.fn(() => Promise.resolve());
  const field = edit(change);
  await userEvent.clear(field);
  await userEvent.paste('👋'.repeat(256));
  await userEvent.type(field, '{Enter}');
  await userEvent.tab();
  expect(change).not.toHaveBeenCalled();
  expect(field.value).toBe('👋'.repeat(256));
  expect(screen.getByRole('alert').textContent).toContain('at most 255 characters');
  await userEvent.clear(field);
  await userEvent.paste('👋'.repeat(255));
  await userEvent.type(field, '{Enter}');
  const patch = { title: '👋'.repeat(255) };
  expect(change.mock.calls).toEqual([
    [{ kind: 'update', id: 'a', patch, from: { title: 'Water the plants' } }],
  ]);
});

test('Escape drops it', async () => {
  const change = vi.fn(() => Promise.resolve());
  await userEvent.type(edit(change), ' today{Escape}');
  await waitFor(() => expect(stored()).toEqual([]));
  expect(change).not.toHaveBeenCalled();
});

test('what the browser could not keep stays a draft', async () => {
  const change = vi.fn(() => Promise.reject(new Error('full')));
  await userEvent.type(edit(change), ' today{Enter}');
  expect(change).toHaveBeenCalledOnce();
  expect(stored()).toEqual(['docket.draft.u1.title:a']);
});
