import { expect, test } from 'vitest';
import { findZones, sameTime, zoneLabel, zonesWith } from './zones';

const zones = ['America/Argentina/Buenos_Aires', 'America/New_York', 'Asia/Tokyo', 'Europe/Berlin'];

test.each([
  ['new york', ['America/New_York']],
  ['BUENOS', ['America/Argentina/Buenos_Aires']],
  ['aires argentina', ['America/Argentina/Buenos_Aires']],
  ['America/New_York', ['America/New_York']],
  ['', zones],
  ['atlantis', []],
])('%j finds %j', (text, found) => {
  expect(findZones(zones, text)).toEqual(found);
});

test('a zone that only the server knows can still be shown', () => {
  expect(zonesWith('Mars/Olympus')).toContain('Mars/Olympus');
  expect(zonesWith('Europe/Berlin').filter((zone) => zone === 'Europe/Berlin')).toHaveLength(1);
});

test('a label tells the offset at that moment', () => {
  expect(zoneLabel('Europe/Berlin', Date.parse('2026-07-01T12:00:00Z'), 'en')).toBe('Europe/Berlin (GMT+2)');
  expect(zoneLabel('America/New_York', Date.parse('2026-01-01T12:00:00Z'), 'en')).toBe(
    'America/New York (GMT-5)',
  );
});

test.each([
  ['Europe/Berlin', 'Europe/Paris', true],
  ['Asia/Kolkata', 'Asia/Calcutta', true],
  ['Europe/Berlin', 'Europe/London', false],
  ['Europe/Berlin', 'Africa/Lagos', false], // the same in winter only
])('%s has the time of %s: %s', (one, other, same) => {
  expect(sameTime(one, other, Date.parse('2026-01-01T12:00:00Z'))).toBe(same);
});
