import { useLayoutEffect, useRef, useState, type FocusEvent, type RefObject } from 'react';

/** Where the keyboard is in the list. */
export interface Cursor {
  /** The line of the task, or -1 in an empty list. */
  line: number;
  /** Goes to a task; `grab` takes the focus there. */
  to: (id: string, grab?: boolean) => void;
  /** Goes some tasks on, and takes the focus along. Returns where that is. */
  by: (steps: number) => string | undefined;
  onFocus: (event: FocusEvent) => void;
  onBlur: (event: FocusEvent) => void;
}

interface Held {
  id: string | undefined;
  /** Its place among the tasks: where the cursor stays when the task goes. */
  place: number;
  grab: boolean;
}

/**
 * The cursor of a list of tasks. The row it is on has the focus when the list has it, is always drawn, however far it
 * is scrolled, and hands the focus to the row that takes its place: completing one task after the other needs no
 * second look.
 */
export function useCursor(
  order: readonly string[],
  lineOf: ReadonlyMap<string, number>,
  list: RefObject<HTMLElement | null>,
): Cursor {
  const [held, setHeld] = useState<Held>({ id: undefined, place: 0, grab: false });
  const here = held.id !== undefined && lineOf.has(held.id);
  const id = here ? held.id : order[Math.min(held.place, order.length - 1)];
  const focused = useRef<Element | undefined>(undefined);
  const rowOf = (task: string | undefined) =>
    task === undefined ? null : list.current?.querySelector<HTMLElement>(`[data-task="${CSS.escape(task)}"]`);

  useLayoutEffect(() => {
    if (held.grab) rowOf(held.id)?.focus({ preventScroll: true });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only when the cursor is moved, not when the list changes
  }, [held]);
  useLayoutEffect(() => {
    const lost = focused.current?.isConnected === false && document.activeElement === document.body;
    if (lost) rowOf(id)?.focus({ preventScroll: true });
  });

  const to = (task: string, grab = false) => setHeld({ id: task, place: order.indexOf(task), grab });
  return {
    line: id === undefined ? -1 : (lineOf.get(id) ?? -1),
    to,
    by: (steps) => {
      // The first key shows where the cursor is; the next ones move it.
      const outside = !list.current?.contains(document.activeElement);
      const at = id === undefined ? 0 : order.indexOf(id) + (outside && Math.abs(steps) === 1 ? 0 : steps);
      const next = order[Math.max(0, Math.min(order.length - 1, at))];
      if (next !== undefined) to(next, true);
      return next;
    },
    onFocus: (event) => {
      focused.current = event.target;
      const task = event.target.closest<HTMLElement>('[data-task]')?.dataset.task;
      if (task !== undefined && task !== held.id) to(task);
    },
    onBlur: (event) => {
      if (event.target.isConnected) focused.current = undefined;
    },
  };
}
