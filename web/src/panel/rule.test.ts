/**
 * What the editor of repetition reads and writes.
 *
 * [Task]: T042
 */
import { expect, test } from 'vitest';
import { readRule, simple, writeRule } from './rule';

test.each([
  'daily',
  'weekly',
  'monthly',
  'yearly',
  'RRULE:FREQ=DAILY;INTERVAL=3',
  'RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH',
  'RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT=12',
  'RRULE:FREQ=MONTHLY;BYMONTHDAY=15;UNTIL=20270301',
  'RRULE:FREQ=MONTHLY;BYMONTHDAY=-1',
  'RRULE:FREQ=MONTHLY;BYDAY=2TU',
  'RRULE:FREQ=MONTHLY;INTERVAL=3;BYDAY=-1FR',
  'RRULE:FREQ=YEARLY;INTERVAL=4;COUNT=5',
])('%s is read and written the same', (pattern) => {
  const rule = readRule(pattern);
  expect(rule).toBeDefined();
  expect(rule && writeRule(rule)).toBe(pattern);
});

test('case, the order of parts and the default start of the week do not matter', () => {
  const rule = readRule('rrule:interval=2;wkst=MO;byday=th,mo;freq=weekly');
  expect(rule && writeRule(rule)).toBe('RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH');
});

test.each([
  'RRULE:FREQ=YEARLY;BYMONTH=3,9',
  'RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE;BYSETPOS=1',
  'RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15',
  'RRULE:FREQ=WEEKLY;WKST=SU;INTERVAL=2',
  'RRULE:FREQ=DAILY;UNTIL=20270301T090000Z',
  'RRULE:FREQ=DAILY;COUNT=3;UNTIL=20270301',
  'RRULE:FREQ=DAILY;INTERVAL=0',
  'RRULE:FREQ=HOURLY',
  'nonsense',
])('%s says more than the editor shows, and is left alone', (pattern) => {
  expect(readRule(pattern)).toBeUndefined();
});

test('every single one without an end is the keyword, which keeps to the ends of short months', () => {
  expect(writeRule({ ...simple('monthly'), every: 1 })).toBe('monthly');
  expect(writeRule({ ...simple('monthly'), monthDay: { kind: 'day', day: 31 } })).toBe(
    'RRULE:FREQ=MONTHLY;BYMONTHDAY=31',
  );
});
