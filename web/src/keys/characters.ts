/**
 * Whether a letter, a digit or a sign alone is a shortcut in this browser. Who steers by voice sets one off with each
 * word, and a screen reader has its own for the same letters: so they can be switched off (WCAG 2.1.4).
 */
import { useSyncExternalStore } from 'react';

const storage = 'docket.characters';
const subscribers = new Set<() => void>();

function charactersOn(): boolean {
  return localStorage.getItem(storage) !== 'off';
}

export function setCharacters(on: boolean): void {
  if (on) localStorage.removeItem(storage);
  else localStorage.setItem(storage, 'off');
  subscribers.forEach((tell) => tell());
}

export function useCharacters(): boolean {
  return useSyncExternalStore((tell) => {
    subscribers.add(tell);
    return () => subscribers.delete(tell);
  }, charactersOn);
}

/** Whether a press as shortcuts.ts writes it, or one it begins with, does anything here. */
export function inUse(press: string): boolean {
  return charactersOn() || !/^(shift\+)?.( |$)/u.test(press);
}
