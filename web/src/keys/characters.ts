/**
 * Whether a letter, a digit or a sign alone is a shortcut in this browser. Who steers by voice sets one off with each
 * word, and a screen reader has its own for the same letters: so they can be switched off (WCAG 2.1.4).
 */
import { stored } from '../app/stored';

const setting = stored('docket.characters', 'off');

export function setCharacters(on: boolean): void {
  setting.set(on ? undefined : 'off');
}

export function useCharacters(): boolean {
  return setting.useWord() !== 'off';
}

/** Whether a press as shortcuts.ts writes it, or one it begins with, does anything here. */
export function inUse(press: string): boolean {
  return setting.get() !== 'off' || !/^(shift\+)?.( |$)/u.test(press);
}
