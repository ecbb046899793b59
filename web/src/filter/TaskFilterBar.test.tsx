/**
 * The filter bar as a user and a screen reader meet it.
 *
 * [Task]: T064
 */
import { render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { expect, test } from 'vitest';
import { listen } from '../keys/keys';
import { TaskFilterBar } from './TaskFilterBar';
import { onDay, readFilter, writeFilter, type Filter } from './url';

const today = '2026-03-31';
const tags = ['home', 'work', 'c', 'd', 'e', 'f', 'g', 'h', 'rare'];

/** The bar with what it is given and gives, as an address would hold it. */
function show(initial = '') {
  let address = initial;
  function Holder() {
    const [filter, setFilter] = useState<Filter>(readFilter(new URLSearchParams(initial)));
    address = writeFilter(filter).toString();
    return <TaskFilterBar filter={filter} tags={tags} today={today} onChange={setFilter} />;
  }
  render(<Holder />);
  return { user: userEvent.setup(), address: () => decodeURIComponent(address) };
}

const openPanel = async (user: ReturnType<typeof userEvent.setup>) => {
  await user.click(screen.getByRole('button', { name: /^Filter/ }));
};

test('it is a search landmark, and each control says what it is for', async () => {
  const { user } = show('sort_by=title');
  const bar = within(screen.getByRole('search', { name: 'Search and filter' }));
  bar.getByRole('searchbox', { name: 'Search' });
  bar.getByRole('combobox', { name: 'Sort by' });
  bar.getByRole('button', { name: 'Ascending: turn round' });
  const open = bar.getByRole('button', { name: 'Filter', expanded: false });
  await user.click(open);
  expect(open.getAttribute('aria-expanded')).toBe('true');
  const panel = document.getElementById(open.getAttribute('aria-controls') ?? '');
  expect(panel?.hidden).toBe(false);
  for (const name of ['Priority', 'Status', 'Due', 'Tags']) bar.getByRole('group', { name });
});

test('Escape closes the conditions, and the focus is where they were opened', async () => {
  const { user } = show();
  const stop = listen();
  await openPanel(user);
  await user.click(screen.getByRole('checkbox', { name: 'High' }));
  await user.keyboard('{Escape}');
  const open = screen.getByRole('button', { name: 'Filter, 1 set', expanded: false });
  expect(document.activeElement).toBe(open);
  stop();
});

test('any of several priorities, and all of several tags', async () => {
  const { user, address } = show();
  await openPanel(user);
  await user.click(screen.getByRole('checkbox', { name: 'High' }));
  await user.click(screen.getByRole('checkbox', { name: 'Low' }));
  await user.click(screen.getByRole('checkbox', { name: '#home' }));
  expect(address()).toBe('priority=high&priority=low&tag=home');
  await user.type(screen.getByRole('combobox', { name: 'Another tag' }), '#Rare{Enter}');
  expect(address()).toBe('priority=high&priority=low&tag=home&tag=Rare');
  await user.click(screen.getByRole('checkbox', { name: 'High' }));
  expect(address()).toBe('priority=low&tag=home&tag=Rare');
  expect(screen.getByRole('button', { name: 'Filter, 3 set' })).toBeTruthy();
});

test('the status', async () => {
  const { user, address } = show();
  await openPanel(user);
  await user.click(screen.getByRole('checkbox', { name: 'Done' }));
  expect(address()).toBe('status=completed');
  await user.click(screen.getByRole('checkbox', { name: 'Open' }));
  expect(address()).toBe('status=completed&status=pending');
});

test('a range of days by name moves with the day', async () => {
  const { user, address } = show();
  await openPanel(user);
  await user.click(screen.getByRole('radio', { name: 'Next 7 days' }));
  expect(address()).toBe('due_before=today+7&due_after=today-1');
  expect(onDay(readFilter(new URLSearchParams(address().replaceAll('+', '%2B'))), today)).toEqual({
    dueBefore: '2026-04-07',
    dueAfter: '2026-03-30',
  });
  await user.click(screen.getByRole('radio', { name: 'Any time' }));
  expect(address()).toBe('');
});

test('a range from one day to another has both of them', async () => {
  const { user, address } = show();
  await openPanel(user);
  await user.type(screen.getByLabelText('From'), '2026-04-01');
  expect(address()).toBe('due_after=2026-03-31');
  await user.type(screen.getByLabelText('to'), '2026-04-30');
  expect(address()).toBe('due_before=2026-05-01&due_after=2026-03-31');
  expect(screen.getByRole('button', { name: /^Remove: Tomorrow – .*30/ })).toBeTruthy();
  await user.clear(screen.getByLabelText('From'));
  expect(address()).toBe('due_before=2026-05-01');
});

test('the list follows a search that rests, and Enter does not wait', async () => {
  const { user, address } = show();
  const field = screen.getByRole('searchbox', { name: 'Search' });
  await user.type(field, 'milk ');
  await waitFor(() => expect(address()).toBe('search=milk'));
  await user.type(field, '& bread{Enter}');
  expect(address()).toBe('search=milk+&+bread');
});

test('Escape empties the search, then leaves it', async () => {
  const { user, address } = show('search=milk');
  const field = screen.getByRole('searchbox', { name: 'Search' });
  await user.click(field);
  await user.keyboard('{Escape}');
  await waitFor(() => expect(address()).toBe(''));
  expect(document.activeElement).toBe(field);
  await user.keyboard('{Escape}');
  expect(document.activeElement).not.toBe(field);
});

test('sorted by title it begins with A, by priority with high; both can be turned round', async () => {
  const { user, address } = show();
  const sort = screen.getByRole('combobox', { name: 'Sort by' });
  expect(
    within(sort)
      .getAllByRole('option')
      .map((o) => o.textContent),
  ).toEqual(['By day', 'Due date', 'Priority', 'Title', 'Created', 'Changed']);
  await user.selectOptions(sort, 'Title');
  await user.click(screen.getByRole('button', { name: 'Ascending: turn round' }));
  expect(address()).toBe('sort_by=title&sort_order=desc');
  await user.selectOptions(sort, 'Priority');
  await user.click(screen.getByRole('button', { name: 'Descending: turn round' }));
  expect(address()).toBe('sort_by=priority&sort_order=asc');
  await user.selectOptions(sort, 'By day');
  expect(address()).toBe('');
});

test('what is set shows, and can be taken off one by one', async () => {
  const { user, address } = show('search=x&priority=high&tag=home&tag=work&due_before=today&sort_by=title');
  for (const name of ['Remove: High priority', 'Remove: #home', 'Remove: Before today'])
    await user.click(screen.getByRole('button', { name }));
  expect(address()).toBe('search=x&tag=work&sort_by=title');
});

test('everything can be done without a pointer', async () => {
  const stop = listen();
  const { user, address } = show();
  await user.keyboard('/');
  expect(document.activeElement).toBe(screen.getByRole('searchbox', { name: 'Search' }));
  await user.tab();
  await user.keyboard('{Enter}'); // opens the conditions
  await user.tab(); // sort
  await user.tab(); // High
  await user.keyboard(' ');
  expect(address()).toBe('priority=high');
  await user.tab();
  await user.tab();
  await user.tab();
  await user.keyboard(' ');
  expect(address()).toBe('priority=high&status=pending');
  stop();
});
