/**
 * What quick add shows of a line of text, and the task that Enter makes of it: the same.
 */
import { describe, expect, test } from 'vitest';
import { bodyOf, faultOf, givenBy, partsOf, type Understood } from './understood';

const zone = 'Europe/Berlin';
const now = Date.parse('2026-03-31T08:00:00Z');

const understood: Understood = {
  title: 'Pay rent',
  due_date: '2026-04-01T09:00:00',
  recurrence_pattern: 'monthly',
  tags: ['home'],
  priority: 'high',
  reminder_minutes: null,
  spans: [
    { start: 9, end: 31, kind: 'repeat', text: 'every month on the 1st', value: 'monthly' },
    { start: 32, end: 38, kind: 'time', text: 'at 9am', value: '09:00' },
    { start: 39, end: 44, kind: 'tag', text: '#home', value: 'home' },
    { start: 45, end: 50, kind: 'priority', text: '!high', value: 'high' },
    { start: 51, end: 52, kind: 'escape', text: '\\', value: '' },
  ],
};
const nothing: Understood = {
  title: 'Buy milk',
  due_date: '',
  recurrence_pattern: '',
  tags: [],
  priority: '',
  reminder_minutes: null,
  spans: [],
};
const given = givenBy('today', { tags: ['Home', 'work'], priorities: ['low'] }, now, zone);

test('a view gives its day, and a filter what all its tasks have', () => {
  expect(given).toEqual({ due_date: '2026-03-31', tags: ['Home', 'work'], priority: 'low' });
  expect(givenBy('all', { priorities: ['low', 'high'] }, now, zone)).toEqual({ tags: [] });
});

describe('the parts', () => {
  test('are what was understood, in its order, then what the text does not say', () => {
    const parts = partsOf(understood, given, [], now, zone);
    expect(parts.map((p) => p.text ?? p.given)).toEqual([
      'every month on the 1st',
      'at 9am',
      '#home',
      '!high',
      '#work',
    ]);
    expect(parts.map((p) => p.label).slice(2)).toEqual(['#home', 'High priority', '#work']);
  });

  test('given by the view can be left out', () => {
    expect(partsOf(nothing, given, [], now, zone).map((p) => p.label)).toEqual([
      'Today',
      'Low priority',
      '#Home',
      '#work',
    ]);
    expect(partsOf(nothing, given, ['due_date', '#work', 'priority'], now, zone).map((p) => p.label)).toEqual(
      ['#Home'],
    );
  });
});

describe('the task', () => {
  test('has what was understood, and what the view gives besides', () => {
    expect(bodyOf('…', understood, given, [])).toEqual({
      title: 'Pay rent',
      due_date: '2026-04-01T09:00:00',
      recurrence_pattern: 'monthly',
      tags: ['home', 'work'],
      priority: 'high',
    });
  });

  test('has no reminders where the text says so', () => {
    expect(bodyOf('…', { ...nothing, reminder_minutes: [] }, given, []).reminder_minutes).toEqual([]);
  });

  test('is plain text where the server cannot be asked', () => {
    expect(bodyOf(' Call Anna tomorrow ', undefined, { tags: ['x'] }, [])).toEqual({
      title: 'Call Anna tomorrow',
      tags: ['x'],
    });
  });

  test('needs a title of 1 to 255 characters', () => {
    expect(faultOf('')).toMatch(/no title/);
    expect(faultOf('😀'.repeat(255))).toBeUndefined();
    expect(faultOf('😀'.repeat(256))).toMatch(/255/);
  });
});
