import { useSyncExternalStore } from 'react';
import { t } from '../text';
import { Button, IconButton } from './controls';

/** A short message at the edge of the screen; `action` undoes or opens what it tells of. */
export interface Toast {
  text: string;
  tone?: 'plain' | 'late';
  action?: { label: string; run: () => void };
  /** Milliseconds until it goes by itself; 0 stays. Default 6000. */
  lasts?: number;
}

interface Shown extends Toast {
  id: number;
}

let shown: readonly Shown[] = [];
let nextId = 1;
const subscribers = new Set<() => void>();

function show(next: readonly Shown[]): void {
  shown = next;
  subscribers.forEach((tell) => tell());
}

/** Shows a toast, at most three at a time; returns the way to take it away. */
export function toast(message: Toast): () => void {
  const id = nextId++;
  const drop = () => show(shown.filter((s) => s.id !== id));
  show([...shown.slice(-2), { ...message, id }]);
  const lasts = message.lasts ?? 6000;
  if (lasts > 0) setTimeout(drop, lasts);
  return drop;
}

function subscribe(tell: () => void): () => void {
  subscribers.add(tell);
  return () => subscribers.delete(tell);
}

/** Where toasts appear; a screen reader reads them without being interrupted. */
export function ToastRegion() {
  const toasts = useSyncExternalStore(subscribe, () => shown);
  return (
    <div
      role="status"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-0 bottom-20 z-50 flex flex-col items-center gap-2 px-4 md:bottom-6"
    >
      {toasts.map((one) => (
        <div
          key={one.id}
          className="pointer-events-auto flex max-w-full animate-rise items-center gap-2 rounded-md border border-line bg-surface py-1.5 pr-1.5 pl-4 text-sm shadow-float"
        >
          <span className={one.tone === 'late' ? 'text-late' : ''}>{one.text}</span>
          {one.action && (
            <Button
              kind="quiet"
              className="text-accent"
              onClick={() => {
                one.action?.run();
                show(shown.filter((s) => s.id !== one.id));
              }}
            >
              {one.action.label}
            </Button>
          )}
          <IconButton
            icon="close"
            label={t.close}
            onClick={() => show(shown.filter((s) => s.id !== one.id))}
          />
        </div>
      ))}
    </div>
  );
}
