import { expect, test } from 'vitest';
import { dueOf, partsOf } from './dueDate';

const berlin = 'Europe/Berlin';

test.each(['2026-03-31', '2026-03-31T09:00:00', '2026-03-31T09:00:30', '2026-03-31T09:00:00+02:00'])(
  '%s keeps its form when it is taken apart and put together',
  (due) => {
    expect(dueOf(partsOf(due, berlin), berlin)).toBe(due);
  },
);

test('a moment given elsewhere is shown and written in the zone of the user', () => {
  const parts = partsOf('2026-03-31T22:30:00Z', berlin);
  expect(parts).toEqual({ form: 'zoned', day: '2026-04-01', time: '00:30' });
  expect(dueOf({ ...parts, time: '08:00' }, berlin)).toBe('2026-04-01T08:00:00+02:00');
  expect(dueOf({ ...parts, day: '2026-12-01' }, berlin)).toBe('2026-12-01T00:30:00+01:00');
});

test('a time that clocks skip or show twice is the moment that the server takes', () => {
  expect(dueOf({ form: 'zoned', day: '2026-03-29', time: '02:30' }, berlin)).toBe(
    '2026-03-29T02:30:00+01:00',
  );
  expect(dueOf({ form: 'zoned', day: '2026-10-25', time: '02:30' }, berlin)).toBe(
    '2026-10-25T02:30:00+02:00',
  );
});

test('zones of quarters and of the west', () => {
  expect(dueOf({ form: 'zoned', day: '2026-06-01', time: '09:00' }, 'Asia/Kathmandu')).toBe(
    '2026-06-01T09:00:00+05:45',
  );
  expect(dueOf({ form: 'zoned', day: '2026-06-01', time: '09:00' }, 'America/St_Johns')).toBe(
    '2026-06-01T09:00:00-02:30',
  );
});

test('without a time only the day is left', () => {
  expect(dueOf({ form: 'floating', day: '2026-06-01', time: '' }, berlin)).toBe('2026-06-01');
});
