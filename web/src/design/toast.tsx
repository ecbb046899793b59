import { useLayoutEffect, useRef, useState, useSyncExternalStore } from 'react';
import { t } from '../text';
import { Button, IconButton } from './controls';
import { useFloor } from './floor';

/** What a toast offers to do; doing it takes the toast away. */
export interface ToastAction {
  label: string;
  run: () => void;
}

/** A short message at the edge of the screen; `action` undoes or opens what it tells of. */
export interface Toast {
  text: string;
  tone?: 'plain' | 'late';
  action?: ToastAction;
  /** Further actions, in a row below. */
  more?: readonly ToastAction[];
  /** Several ways to do one thing, after those: its name, and the ways. */
  choices?: { label: string; actions: readonly ToastAction[] };
  /** Told when the user closes it without choosing an action. */
  onClose?: () => void;
  /** Milliseconds until it goes by itself; 0 stays. Default 6000. */
  lasts?: number;
}

interface Shown extends Toast {
  id: number;
}

/** How many are shown of those that go by themselves: a newer one takes the place of the oldest. */
const atOnce = 3;

let shown: readonly Shown[] = [];
let nextId = 1;
const timers = new Map<number, ReturnType<typeof setTimeout>>();
const subscribers = new Set<() => void>();

function show(next: readonly Shown[]): void {
  shown = next;
  subscribers.forEach((tell) => tell());
}

function drop(id: number): void {
  clearTimeout(timers.get(id));
  timers.delete(id);
  if (shown.some((s) => s.id === id)) show(shown.filter((s) => s.id !== id));
}

function passes(toast: Toast): boolean {
  return toast.lasts !== 0;
}

/** Shows a toast and returns the way to take it away. One that stays is never pushed out by others. */
export function toast(message: Toast): () => void {
  const id = nextId++;
  const passing = shown.filter(passes);
  const oldest = passes(message) && passing.length >= atOnce ? passing[0] : undefined;
  show([...shown.filter((s) => s !== oldest), { ...message, id }]);
  setClock(id, message);
  return () => drop(id);
}

/** Takes all toasts away: whom they were for has gone. */
export function clearToasts(): void {
  timers.forEach((timer) => clearTimeout(timer));
  timers.clear();
  show([]);
}

function setClock(id: number, message: Toast): void {
  if (passes(message))
    timers.set(
      id,
      setTimeout(() => drop(id), message.lasts ?? 6000),
    );
}

function subscribe(tell: () => void): () => void {
  subscribers.add(tell);
  return () => subscribers.delete(tell);
}

/** The places for toasts, the uppermost last. */
let places: readonly object[] = [];

function setPlaces(next: readonly object[]): void {
  places = next;
  subscribers.forEach((tell) => tell());
}

/**
 * Where toasts appear; a screen reader reads them without being interrupted. The page has one, and each dialog: while
 * that is open nothing else can be seen well, heard or used.
 */
export function ToastRegion() {
  const [place] = useState(() => ({}));
  useLayoutEffect(() => {
    setPlaces([...places, place]);
    return () => setPlaces(places.filter((p) => p !== place));
  }, [place]);
  const here = useSyncExternalStore(subscribe, () => places.at(-1) === place);
  const toasts = useSyncExternalStore(subscribe, () => shown);
  const region = useRef<HTMLDivElement>(null);
  useFloor(region, here && toasts.length > 0);
  return (
    <div
      ref={region}
      role="status"
      aria-live="polite"
      className="toasts pointer-events-none fixed z-50 flex max-h-[70dvh] flex-col items-center justify-end gap-2 px-4"
    >
      {here && toasts.map((one) => <OneToast key={one.id} one={one} />)}
    </div>
  );
}

/** Its time stands still while the pointer or the focus is on it: nobody is hurried (WCAG 2.2.1). */
function OneToast({ one }: { one: Shown }) {
  const [held, setHeld] = useState(false);
  const hold = () => {
    clearTimeout(timers.get(one.id));
    setHeld(true);
  };
  const release = () => {
    if (held) setClock(one.id, one);
    setHeld(false);
  };
  const act = (action: ToastAction) => {
    drop(one.id);
    action.run();
  };
  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- nothing is done here, only waited
    <div
      onPointerEnter={hold}
      onPointerLeave={release}
      onFocus={hold}
      onBlur={release}
      className="pointer-events-auto max-w-full shrink-0 animate-rise rounded-md border border-line bg-surface py-1.5 pr-1.5 pl-4 text-sm shadow-float"
    >
      <div className="flex items-center gap-2">
        <span className={`min-w-0 grow wrap-anywhere ${one.tone === 'late' ? 'text-late' : ''}`}>
          {one.text}
        </span>
        {one.action && <ActionButton action={one.action} act={act} />}
        <IconButton
          icon="close"
          label={t.close}
          onClick={() => {
            drop(one.id);
            one.onClose?.();
          }}
        />
      </div>
      {(one.more ?? one.choices) && (
        <div className="-ml-3.5 flex flex-wrap gap-x-1">
          {one.more?.map((action) => (
            <ActionButton key={action.label} action={action} act={act} />
          ))}
          {one.choices && <Choices {...one.choices} act={act} />}
        </div>
      )}
    </div>
  );
}

function Choices({
  label,
  actions,
  act,
}: NonNullable<Toast['choices']> & { act: (action: ToastAction) => void }) {
  return (
    <div role="group" aria-label={label} className="flex flex-wrap items-center">
      <span aria-hidden="true" className="pl-3.5 text-soft">
        {label}:
      </span>
      {actions.map((action) => (
        <ActionButton key={action.label} action={action} act={act} />
      ))}
    </div>
  );
}

function ActionButton({ action, act }: { action: ToastAction; act: (action: ToastAction) => void }) {
  return (
    <Button kind="offer" onClick={() => act(action)}>
      {action.label}
    </Button>
  );
}
