/**
 * A setting of the browser: kept over a reload, told to who shows it, and as usual where nothing sensible is kept.
 *
 * [Task]: T062
 */
import { act, renderHook } from '@testing-library/react';
import { expect, test } from 'vitest';
import { stored } from './stored';

test('what is set shows, is there after a reload, and goes where it is as usual', () => {
  const colour = () => stored('docket.test', 'red', 'blue');
  const { get, set, useWord } = colour();
  const { result } = renderHook(useWord);
  expect(result.current).toBeUndefined();
  act(() => set('red'));
  expect([result.current, get(), colour().get()]).toEqual(['red', 'red', 'red']);
  act(() => set(undefined));
  expect([result.current, localStorage.getItem('docket.test')]).toEqual([undefined, null]);
});

test('a word that it does not have is none', () => {
  localStorage.setItem('docket.test', 'mauve');
  expect(stored('docket.test', 'red').get()).toBeUndefined();
});
