/**
 * Which key means what, on any keyboard.
 */
import { afterEach, expect, test } from 'vitest';
import { inUse, setCharacters } from './characters';
import { pressesOf, Recogniser, usesItself, type KeyEvent } from './press';
import { shortcuts } from './shortcuts';

const press = (key: string, code: string, held: Partial<KeyEvent> = {}): KeyEvent => ({
  key,
  code,
  shiftKey: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...held,
});

function meant(event: KeyEvent, mac = false): string | undefined {
  const found = new Recogniser(shortcuts).feed(pressesOf(event, mac), 0);
  return typeof found === 'string' ? found : found?.id;
}

test.each([
  ['a letter', press('j', 'KeyJ'), 'next'],
  ['the same with caps lock', press('J', 'KeyJ'), 'next'],
  ['with Shift', press('J', 'KeyJ', { shiftKey: true }), 'selectDown'],
  ['at its place on a Russian keyboard', press('о', 'KeyJ'), 'next'],
  ['where Dvorak has it', press('j', 'KeyC'), 'next'],
  ['not where Dvorak has another letter', press('h', 'KeyJ'), undefined],
  ['a sign with Shift, as on a German keyboard', press('/', 'Digit7', { shiftKey: true }), 'search'],
  [
    'a sign with AltGr',
    press('/', 'KeyQ', { ctrlKey: true, altKey: true, getModifierState: () => true }),
    'search',
  ],
  ['a question mark', press('?', 'Slash', { shiftKey: true }), 'help'],
  ['a digit', press('1', 'Digit1'), 'high'],
  ['a digit on a French keyboard, without Shift', press('&', 'Digit1'), 'high'],
  ['not the sign over a digit', press('!', 'Digit1', { shiftKey: true }), undefined],
  ['space', press(' ', 'Space'), 'complete'],
  ['the first of two', press('g', 'KeyG'), 'begun'],
  ['Ctrl', press('k', 'KeyK', { ctrlKey: true }), 'palette'],
  ['Ctrl on a Greek keyboard', press('κ', 'KeyK', { ctrlKey: true }), 'palette'],
  ['not another combination of the browser', press('j', 'KeyJ', { ctrlKey: true }), undefined],
  ['not with Alt', press('j', 'KeyJ', { altKey: true }), undefined],
])('%s', (_, event, id) => {
  expect(meant(event)).toBe(id);
});

test('on a Mac it is Command, and Control stays the system’s', () => {
  expect(meant(press('k', 'KeyK', { metaKey: true }), true)).toBe('palette');
  expect(meant(press('k', 'KeyK', { ctrlKey: true }), true)).toBeUndefined();
});

test('two presses in a row are one shortcut, if the second comes soon', () => {
  const keys = new Recogniser(shortcuts);
  keys.feed(['g'], 0);
  expect(keys.feed(['t'], 800)).toMatchObject({ id: 'goToday' });
  keys.feed(['g'], 2_000);
  expect(keys.feed(['t'], 5_000)).toMatchObject({ id: 'tag' });
  keys.feed(['g'], 9_000);
  expect(keys.feed(['j'], 9_100)).toBeUndefined();
});

test('no press means two things, and none begins with another', () => {
  const all = shortcuts.flatMap((s) => s.keys);
  expect(new Set(all).size).toBe(all.length);
  for (const one of all) expect(all.filter((other) => other.startsWith(`${one} `))).toEqual([]);
});

test('nothing is taken from the browser but Ctrl K, which pages may take', () => {
  const held = shortcuts.flatMap((s) => s.keys).filter((k) => /^(mod|alt)\+|f\d|tab/.test(k));
  expect(held).toEqual(['mod+k']);
});

test.each([
  ['<input>', 'j', true],
  ['<textarea></textarea>', '?', true],
  ['<select></select>', 'arrowdown', true],
  ['<input type="checkbox">', 'j', false],
  ['<input type="checkbox">', 'space', true],
  ['<input type="radio">', 'arrowup', true],
  ['<button></button>', 'enter', true],
  ['<button></button>', 'x', false],
  ['<div role="row"></div>', 'enter', false],
  ['<dialog><button></button></dialog>', 'x', true],
])('%s keeps %s to itself: %s', (html, key, itself) => {
  document.body.innerHTML = html;
  const element = document.querySelector('button') ?? document.body.firstElementChild;
  expect(usesItself(element, key)).toBe(itself);
});

afterEach(() => setCharacters(true));

test('letters, digits and signs can be switched off; all other keys go on', () => {
  const inUseNow = () => shortcuts.flatMap(({ keys }): string[] => keys.filter(inUse));
  const all = inUseNow();
  expect(all).toEqual(shortcuts.flatMap(({ keys }) => [...keys]));
  setCharacters(false);
  expect(inUseNow()).toEqual(
    all.filter((key) => /^mod\+|escape|arrow|home|end|enter|space|delete/.test(key)),
  );
  expect(inUseNow()).not.toContain('g t');
  expect(inUseNow()).toContain('mod+k');
});
