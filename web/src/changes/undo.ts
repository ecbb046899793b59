/**
 * Undo for whatever the user does: a toast says what was done and offers to take it back, and `u` takes back the last,
 * then the one before (replica/steps.ts). What takes a change back is replica/undo.ts.
 *
 * [Task]: T061
 */
import { useEffect } from 'react';
import { toast, type ToastAction } from '../design/toast';
import type { Step } from '../replica/steps';
import type { Replica } from '../replica/store';
import { t } from '../text';
import { describe } from './describe';

let hide: () => void = () => undefined;
let told: Step | undefined;

/** Offers to take back what is made while the component is there. */
export function useUndo(replica: Replica): void {
  useEffect(
    () =>
      replica.onStep((step) => {
        told = step;
        offer(replica, step, describe(step.made));
      }),
    [replica],
  );
}

/** Says more of the task that has just been made, in the toast that offers to take it back. */
export function tellMore(replica: Replica, task: string, text: string, action: ToastAction): void {
  if (told?.made.changes.some(({ id }) => id === task)) offer(replica, told, text, [action]);
  else toast({ text, action });
}

function offer(replica: Replica, step: Step, text: string, more?: readonly ToastAction[]): void {
  const run = () => {
    const held = replica.steps.take(step.id);
    if (held) void takeBack(replica, held);
  };
  hide();
  hide = toast({ text, action: { label: t.undo.undo, run }, ...(more && { more }) });
}

/** Takes back what was made last, for `u`; false if there is nothing. */
export function undoLast(replica: Replica): boolean {
  const last = replica.steps.pop();
  if (last) void takeBack(replica, last);
  return last !== undefined;
}

async function takeBack(replica: Replica, { made }: Step): Promise<void> {
  hide();
  try {
    const undone = await replica.undo(made);
    hide = toast({
      text: t.undo.undone(describe(made)),
      action: { label: t.undo.redo, run: () => void replica.change(...undone.inverse) },
    });
  } catch {
    replica.steps.push(made, Date.now()); // the browser could not keep it, and has said so
  }
}
