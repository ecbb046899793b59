/**
 * What the palette finds by a few letters, and what comes first.
 */
import { expect, test } from 'vitest';
import { fold } from '../replica/fold';
import { best } from './fuzzy';

const titles = [
  'Water the plants',
  'Call the plumber about the plan',
  'Plan the trip to Lisbon',
  'Implant data',
  'Go to Today',
  'Straße fegen',
  'שלום עולם',
];
const found = (typed: string) => best(typed, titles, fold, 3);

test.each([
  ['plan', ['Plan the trip to Lisbon', 'Water the plants', 'Call the plumber about the plan']],
  ['plumb call', ['Call the plumber about the plan']],
  ['gtt', ['Go to Today']],
  ['ptttl', ['Plan the trip to Lisbon']],
  ['STRAßE', ['Straße fegen']],
  ['עולם', ['שלום עולם']],
  ['zzz', []],
])('%s', (typed, expected) => {
  expect(found(typed)).toEqual(expected);
});

test('letters strewn over a text are no answer', () => {
  expect(found('wrtl')).toEqual([]);
});

test('ten thousand titles are ranked as one types', () => {
  const many = Array.from({ length: 10_000 }, (_, i) => `task number ${i} of the long list`);
  expect(best('number 9999', many, (x) => x, 5)[0]).toBe('task number 9999 of the long list');
});
