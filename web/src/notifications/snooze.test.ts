import { expect, test } from 'vitest';
import { besideTitle, readPushMessage } from './message';
import { snoozeChoices } from './snooze';

const at = (iso: string) => Date.parse(iso);

test('a reminder can be put off by ten minutes, an hour, and to nine in the morning of the user’s next day', () => {
  const late = at('2026-03-28T22:30:00Z'); // 23:30 in Berlin, where clocks go forward in the night that follows
  expect(snoozeChoices(late, 'Europe/Berlin').map((c) => new Date(c.until).toISOString())).toEqual([
    '2026-03-28T22:40:00.000Z',
    '2026-03-28T23:30:00.000Z',
    '2026-03-29T07:00:00.000Z',
  ]);
  expect(new Date(snoozeChoices(late, 'America/Los_Angeles')[2]?.until ?? 0).toISOString()).toBe(
    '2026-03-29T16:00:00.000Z',
  );
});

test.each([
  ['Pay rent', 'Pay rent (due 5 June 2031, 09:00)', 'due 5 June 2031, 09:00'],
  ['Call (again)', 'Call (again) (overdue: was due 1 May 2026)', 'overdue: was due 1 May 2026'],
  ['Renamed since', 'Old name (due 5 June 2031)', 'Old name (due 5 June 2031)'],
  ['No date', 'No date', ''],
])('%s: what the message says beside the title', (title, message, rest) => {
  expect(besideTitle(title, message)).toBe(rest);
});

test('a push message that is not ours is none', () => {
  const ours = { notification_id: 'n', task_id: 't', title: 'Pay rent', message: 'Pay rent (due today)' };
  expect(readPushMessage(JSON.stringify({ ...ours, later: 'fields may come' }))).toEqual(ours);
  const users = { ...ours, user_id: 'u' };
  expect(readPushMessage(JSON.stringify(users))).toEqual(users);
  for (const other of ['', 'hello', 'null', '[]', JSON.stringify({ ...ours, title: 1 })])
    expect(readPushMessage(other)).toBeUndefined();
});
