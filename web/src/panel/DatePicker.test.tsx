/**
 * The date picker by pointer and by keys; words need the server and are tested with it (e2e/panel.e2e.ts).
 *
 * [Task]: T006
 */
import { render, screen, within } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { DatePicker } from './DatePicker';

const now = Date.parse('2026-03-28T22:30:00Z'); // in Auckland it is the 29th

function picker(due: string | null, zone = 'Europe/Berlin') {
  const onChange = vi.fn();
  render(<DatePicker due={due} now={now} zone={zone} onChange={onChange} />);
  return onChange;
}

test('today and tomorrow are those of the zone of the user', async () => {
  const onChange = picker(null, 'Pacific/Auckland');
  await userEvent.click(screen.getByRole('button', { name: 'Today' }));
  expect(onChange).toHaveBeenLastCalledWith('2026-03-29');
  await userEvent.click(screen.getByRole('button', { name: 'Tomorrow' }));
  expect(onChange).toHaveBeenLastCalledWith('2026-03-30');
});

test('another day keeps the time and the form', async () => {
  const onChange = picker('2026-03-28T09:00:00+01:00');
  await userEvent.click(screen.getByRole('button', { name: /Monday, March 30, 2026/ }));
  expect(onChange).toHaveBeenLastCalledWith('2026-03-30T09:00:00+02:00'); // summer time began
});

test('the grid is walked by keys, across months, and Enter chooses', async () => {
  const onChange = picker('2026-03-31');
  const grid = screen.getByRole('grid', { name: 'March 2026' });
  const chosen = within(grid).getByRole('gridcell', { selected: true });
  within(chosen).getByRole('button').focus();
  await userEvent.keyboard('{ArrowRight}');
  expect(screen.getByRole('grid', { name: 'April 2026' })).toBeTruthy();
  expect(document.activeElement?.getAttribute('aria-label')).toBe('Wednesday, April 1, 2026');
  await userEvent.keyboard('{PageDown}{ArrowDown}{Enter}');
  expect(onChange).toHaveBeenCalledExactlyOnceWith('2026-05-08');
});

test('one day is in the tab order, and the present one is marked', () => {
  picker(null);
  const grid = screen.getByRole('grid');
  const days = within(grid).getAllByRole('button');
  expect(days.filter((day) => day.tabIndex === 0)).toHaveLength(1);
  expect(days.filter((day) => day.getAttribute('aria-current') === 'date')).toHaveLength(1);
  expect(screen.queryByRole('button', { name: 'No date' })).toBeNull();
});

test('a time makes a date floating, and taking it away leaves the day', async () => {
  const onChange = picker('2026-03-31');
  await userEvent.type(screen.getByLabelText('Time'), '09:30{Enter}');
  expect(onChange).toHaveBeenLastCalledWith('2026-03-31T09:30:00');
});

test('what a time means can be changed', async () => {
  const onChange = picker('2026-03-31T09:30:00');
  await userEvent.selectOptions(screen.getByLabelText('The time is meant'), 'zoned');
  expect(onChange).toHaveBeenLastCalledWith('2026-03-31T09:30:00+02:00');
  await userEvent.click(screen.getByRole('button', { name: 'Without time' }));
  expect(onChange).toHaveBeenLastCalledWith('2026-03-31');
});
