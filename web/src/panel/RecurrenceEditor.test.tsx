/**
 * The editor of repetition: what is chosen makes which pattern.
 *
 * [Task]: T042
 */
import { render, screen } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { useState } from 'react';
import { expect, test, vi } from 'vitest';
import { RecurrenceEditor } from './RecurrenceEditor';

function editor(start: string | null) {
  const onChange = vi.fn();
  function Holder() {
    const [pattern, setPattern] = useState(start);
    return (
      <RecurrenceEditor
        pattern={pattern}
        onChange={(next) => {
          onChange(next);
          setPattern(next);
        }}
      />
    );
  }
  render(<Holder />);
  return onChange;
}

test('presets', async () => {
  const onChange = editor(null);
  await userEvent.click(screen.getByRole('button', { name: 'Every weekday' }));
  expect(onChange).toHaveBeenLastCalledWith('RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR');
  expect(screen.getByRole('button', { name: 'Every weekday', pressed: true })).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Never' }));
  expect(onChange).toHaveBeenLastCalledWith(null);
});

test('every other week on Tuesday and Friday, twelve times', async () => {
  const onChange = editor(null);
  await userEvent.click(screen.getByRole('button', { name: 'Custom' }));
  await userEvent.clear(screen.getByLabelText('Every'));
  await userEvent.type(screen.getByLabelText('Every'), '2');
  await userEvent.click(screen.getByRole('button', { name: 'Friday' }));
  await userEvent.click(screen.getByRole('button', { name: 'Tuesday' }));
  await userEvent.selectOptions(screen.getByLabelText('Ends'), 'after');
  await userEvent.clear(screen.getByLabelText('times'));
  await userEvent.type(screen.getByLabelText('times'), '12');
  expect(onChange).toHaveBeenLastCalledWith('RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,FR;COUNT=12');
});

test('monthly on the last Friday, or on a day', async () => {
  const onChange = editor('RRULE:FREQ=MONTHLY;BYMONTHDAY=15');
  await userEvent.selectOptions(screen.getByLabelText('On'), 'the last Friday');
  expect(onChange).toHaveBeenLastCalledWith('RRULE:FREQ=MONTHLY;BYDAY=-1FR');
  await userEvent.selectOptions(screen.getByLabelText('On'), 'the day of the due date');
  expect(onChange).toHaveBeenLastCalledWith('monthly');
});

test('what is no whole number from 1 changes nothing', async () => {
  const onChange = editor('RRULE:FREQ=DAILY;INTERVAL=3');
  await userEvent.clear(screen.getByLabelText('Every'));
  await userEvent.type(screen.getByLabelText('Every'), '0');
  expect(onChange).not.toHaveBeenCalled();
});

test('a rule with more than the editor shows stays as it is', () => {
  const onChange = editor('RRULE:FREQ=YEARLY;BYMONTH=3,9');
  expect(screen.getByText(/says more than can be edited here/)).toBeTruthy();
  expect(screen.queryByLabelText('Every')).toBeNull();
  expect(onChange).not.toHaveBeenCalled();
});
