/**
 * Keyboard shortcuts: one listener for the page, one table (shortcuts.ts), and actions that components give while
 * they are there.
 *
 * [Task]: T062
 */
import { useEffect, useRef } from 'react';
import { inUse } from './characters';
import { pressesOf, Recogniser, usesItself } from './press';
import { shortcuts, type Shortcut, type ShortcutId } from './shortcuts';

/** What a shortcut does; `false` says that there was nothing to do, and passes the key on. */
export type Action = () => unknown;

/** The newest last: what is on top of the page comes first. */
const actions = new Map<string, (() => unknown)[]>();

/** Gives shortcuts their meaning while the component is there. */
export function useActions(given: Partial<Record<ShortcutId, Action>>): void {
  const latest = useRef(given);
  useEffect(() => {
    latest.current = given;
  });
  const ids = Object.keys(given).join(' ');
  useEffect(() => {
    const added = ids
      .split(' ')
      .map((id): [string, Action] => [id, () => latest.current[id as ShortcutId]?.()]);
    for (const [id, run] of added) actions.set(id, [...(actions.get(id) ?? []), run]);
    return () => {
      for (const [id, run] of added) actions.set(id, actions.get(id)?.filter((r) => r !== run) ?? []);
    };
  }, [ids]);
}

/** Does what a shortcut stands for; false if nothing on the page does it now. */
export function act(id: string): boolean {
  return (actions.get(id) ?? []).toReversed().some((run) => run() !== false);
}

/** The shortcuts that something on the page answers to now, with the keys that are in use. */
export function available(): Shortcut[] {
  return shortcuts
    .filter(({ id }) => (actions.get(id)?.length ?? 0) > 0)
    .map((shortcut) => ({ ...shortcut, keys: shortcut.keys.filter(inUse) }));
}

export const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** Listens to the keyboard; returns the way to stop. Called once, by the page. */
export function listen(): () => void {
  const recogniser = new Recogniser(shortcuts);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return;
    const presses = pressesOf(event, isMac).filter(inUse);
    const element = event.target instanceof Element ? event.target : null;
    const typing = usesItself(element, presses[0] ?? '');
    if (typing && !presses.some((p) => p.startsWith('mod+'))) return;
    const found = recogniser.feed(presses, event.timeStamp);
    if (found === undefined || (typing && (found === 'begun' || !found.typing))) return;
    if (found === 'begun' || act(found.id)) event.preventDefault();
  };
  document.addEventListener('keydown', onKeyDown);
  return () => document.removeEventListener('keydown', onKeyDown);
}

/** A press as it is written on a key: `mod+k` is Ctrl K, or ⌘ K on a Mac. */
export function labelOf(press: string): string[] {
  const names: Record<string, string> = {
    mod: isMac ? '⌘' : 'Ctrl',
    arrowdown: '↓',
    arrowup: '↑',
  };
  return press.split(/[+ ]/).map((part) => names[part] ?? part.charAt(0).toUpperCase() + part.slice(1));
}
