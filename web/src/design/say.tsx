/**
 * What a screen reader is told of that a sighted user sees happen elsewhere on the page: the list that was asked for,
 * a panel that opened. Only what the user did is said, never what others change; toasts speak for themselves.
 *
 * [Task]: T006
 */
import { useSyncExternalStore } from 'react';

/** How long it can be found on the page, in milliseconds: read out long before, and not met again while reading. */
const lasts = 10_000;

let said = { text: '', id: 0 };
let timer: ReturnType<typeof setTimeout> | undefined;
const subscribers = new Set<() => void>();

function put(text: string): void {
  said = { text, id: said.id + 1 };
  subscribers.forEach((tell) => tell());
}

/** Says it once the reader has finished its sentence; the same again is said again. */
export function say(text: string): void {
  clearTimeout(timer);
  timer = setTimeout(() => put(''), lasts);
  put(text);
}

function subscribe(tell: () => void): () => void {
  subscribers.add(tell);
  return () => subscribers.delete(tell);
}

/**
 * Where it is said. It is there from the start: what appears together with its place is not read by all readers. It
 * has no role: an empty status would be met when the page is read line by line.
 */
export function Spoken() {
  const { text, id } = useSyncExternalStore(subscribe, () => said);
  return (
    <div aria-live="polite" aria-atomic="true" className="sr-only">
      {text && <p key={id}>{text}</p>}
    </div>
  );
}
