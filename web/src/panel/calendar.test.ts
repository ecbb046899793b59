import { expect, test } from 'vitest';
import { addMonths, dayAfterKey, firstDayOfWeek, startOfWeek, weekdayOf, weeksOf } from './calendar';

test('weeks begin as they do where the language is spoken', () => {
  expect(firstDayOfWeek('de-DE')).toBe(1);
  expect(firstDayOfWeek('en-US')).toBe(7);
  expect(weeksOf('2026-03', 1)[0]).toEqual([
    '2026-02-23',
    '2026-02-24',
    '2026-02-25',
    '2026-02-26',
    '2026-02-27',
    '2026-02-28',
    '2026-03-01',
  ]);
  expect(weeksOf('2026-03', 7)[0]?.[0]).toBe('2026-03-01');
});

test('from the 31st to a shorter month is to its last day, leap years too', () => {
  expect(addMonths('2026-01-31', 1)).toBe('2026-02-28');
  expect(addMonths('2028-01-31', 1)).toBe('2028-02-29');
  expect(addMonths('2026-01-15', -13)).toBe('2024-12-15');
});

test.each([
  ['ArrowLeft', false, '2026-03-30'],
  ['ArrowRight', false, '2026-04-01'],
  ['ArrowUp', false, '2026-03-24'],
  ['ArrowDown', false, '2026-04-07'],
  ['Home', false, '2026-03-30'],
  ['End', false, '2026-04-05'],
  ['PageUp', false, '2026-02-28'],
  ['PageDown', false, '2026-04-30'],
  ['PageUp', true, '2025-03-31'],
  ['PageDown', true, '2027-03-31'],
] as const)('from Tuesday, 31 March, %s (shift: %s) leads to %s', (key, shift, to) => {
  expect(dayAfterKey('2026-03-31', key, shift, 1)).toBe(to);
});

test('keys stay within what a due date can be', () => {
  expect(dayAfterKey('9999-12-31', 'ArrowRight', false, 1)).toBe('9999-12-31');
  expect(dayAfterKey('9999-12-31', 'PageDown', false, 1)).toBe('9999-12-31');
  expect(dayAfterKey('1970-01-01', 'ArrowLeft', false, 1)).toBe('1970-01-01');
  expect(dayAfterKey('1970-01-01', 'PageUp', true, 1)).toBe('1970-01-01');
  expect(dayAfterKey('2026-03-31', 'a', false, 1)).toBeUndefined();
});

test('weekdays are those of ISO 8601', () => {
  expect(weekdayOf('2026-03-29')).toBe(7);
  expect(startOfWeek('2026-03-29', 1)).toBe('2026-03-23');
  expect(startOfWeek('2026-03-29', 7)).toBe('2026-03-29');
});
