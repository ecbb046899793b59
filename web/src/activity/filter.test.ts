import { expect, test } from 'vitest';
import { activityAddress, readActivity, trailFilter } from './filter';

const id = '01a21466-e7db-70f4-bb10-712574e74aad';

test('a filter is read from the address, and what it has wrong is left out', () => {
  const query = new URLSearchParams(`type=task.completed&of=${id}&from=2026-03-29&to=2026-13-01`);
  expect(readActivity(query)).toEqual({ type: 'task.completed', of: id, from: '2026-03-29', to: '' });
  const wrong = new URLSearchParams('type=x&of=y&from=z');
  expect(readActivity(wrong)).toEqual({ type: '', of: '', from: '', to: '' });
});

test('days begin and end in the zone of the user, also where a clock changes', () => {
  const filter = { type: '', of: '', from: '2026-03-29', to: '2026-03-29' } as const;
  expect(trailFilter(filter, 'Europe/Berlin')).toEqual({
    from: '2026-03-28T23:00:00.000Z',
    to: '2026-03-29T22:00:00.000Z',
  });
});

test('an address keeps what else is in it', () => {
  const query = new URLSearchParams(`task=${id}&from=2026-01-01`);
  expect(activityAddress({ type: 'task.deleted', from: '' }, query)).toBe(
    `/activity?task=${id}&type=task.deleted`,
  );
  expect(activityAddress({ from: '' }, new URLSearchParams('from=2026-01-01'))).toBe('/activity');
});
