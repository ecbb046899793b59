/**
 * From a keyboard's events to the shortcut that is meant, whatever the layout. Pure.
 */
import type { Shortcut } from './shortcuts';

/** What of a KeyboardEvent counts. */
export interface KeyEvent {
  key: string;
  code: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  getModifierState?: (key: string) => boolean;
}

/**
 * The names of a press, the first the one that counts most: what the key writes; then, where that is a letter of
 * another script or a sign in the row of digits (AZERTY), what the key at that place writes on a Latin keyboard.
 * A layout that moves Latin letters (Dvorak) is taken at its word. Other modifiers than Shift make no name, but
 * Ctrl alone, on a Mac Command alone.
 */
export function pressesOf(event: KeyEvent, mac: boolean): string[] {
  const writes = event.getModifierState?.('AltGraph') === true; // AltGr, which some systems report as Ctrl+Alt
  const [mod, other] = mac ? [event.metaKey, event.ctrlKey] : [event.ctrlKey, event.metaKey];
  if (!writes && (event.altKey || other)) return [];
  const names = [nameOf(event.key, event.shiftKey), placeOf(event)].filter((name) => name !== undefined);
  return mod && !writes ? names.map((name) => `mod+${name}`) : names;
}

function nameOf(key: string, shift: boolean): string | undefined {
  if (key === 'Dead' || key === 'Unidentified' || key === 'Process') return undefined;
  const name = key === ' ' ? 'space' : key.toLowerCase();
  const sign = Array.from(key).length === 1 && key !== ' ' && !/\p{L}/u.test(key);
  return shift && !sign ? `shift+${name}` : name;
}

function placeOf({ key, code, shiftKey }: KeyEvent): string | undefined {
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  if (letter && /[^\0-\x7f]/.test(key)) return nameOf(letter, shiftKey);
  const digit = /^Digit(\d)$/.exec(code)?.[1];
  return digit && !shiftKey && !/\d/.test(key) ? digit : undefined;
}

/** How long the second press of two may take, in milliseconds. */
const patience = 1_200;

/** Recognises shortcuts in a stream of presses. */
export class Recogniser {
  readonly #shortcuts: readonly Shortcut[];
  #begun: { press: string; at: number } | undefined;

  constructor(shortcuts: readonly Shortcut[]) {
    this.#shortcuts = shortcuts;
  }

  /** The shortcut that a press completes, or whether it begins one of two; `at` is in milliseconds. */
  feed(presses: readonly string[], at: number): Shortcut | 'begun' | undefined {
    const begun = this.#begun && at - this.#begun.at <= patience ? `${this.#begun.press} ` : '';
    this.#begun = undefined;
    for (const press of presses) {
      const whole = this.#shortcuts.find((s) => s.keys.includes(begun + press));
      if (whole) return whole;
    }
    const press = presses.find((p) => this.#shortcuts.some((s) => s.keys.some((k) => k.startsWith(`${p} `))));
    if (press === undefined) return undefined;
    this.#begun = { press, at };
    return 'begun';
  }
}

/** The keys that an element uses itself: all of them where text is typed, some of them on controls. */
export function usesItself(element: Element | null, press: string): boolean {
  if (!element) return false;
  if (element.closest('dialog, [role="menu"], [role="dialog"]')) return true;
  if (element instanceof HTMLElement && element.isContentEditable) return true;
  if (element.matches('textarea, select')) return true;
  if (element instanceof HTMLInputElement) {
    if (element.type === 'radio') return /^(space|arrow.*)$/.test(press);
    if (element.type !== 'checkbox' && element.type !== 'button') return true;
  }
  return /^(shift\+)?(space|enter)$/.test(press) && element.matches('button, a[href], summary, input');
}
