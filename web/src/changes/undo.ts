/**
 * Undo for whatever the user does: a toast says what was done and offers to take it back, and `u` takes back the last,
 * then the one before. What takes a change back is replica/undo.ts.
 *
 * [Task]: T061
 */
import { useEffect } from 'react';
import { toast } from '../design/toast';
import type { Replica } from '../replica/store';
import type { Made } from '../replica/types';
import { t } from '../text';
import { describe } from './describe';

/** How many steps can be taken back. */
const most = 200;
/** Edits of one text that follow each other within this many milliseconds are one step: it is saved as it is typed. */
const pause = 10_000;

interface Step {
  made: Made;
  at: number;
}

/** What was made in this tab and can be taken back, the last one last. Pure but for what it holds. */
export class Steps {
  #steps: readonly Step[] = [];

  /** Takes a step; returns it, or the earlier one that it is a part of. */
  push(made: Made, at: number): { made: Made; joined: boolean } {
    const last = this.#steps.at(-1);
    const one = last && at - last.at < pause ? joinedEdit(last.made, made) : undefined;
    const before = one ? this.#steps.slice(0, -1) : this.#steps.slice(1 - most);
    this.#steps = [...before, { made: one ?? made, at }];
    return { made: one ?? made, joined: one !== undefined };
  }

  pop(): Made | undefined {
    const last = this.#steps.at(-1);
    this.#steps = this.#steps.slice(0, -1);
    return last?.made;
  }

  /** Takes out one step, wherever it is; false if it has been taken back already. */
  take(made: Made): boolean {
    const rest = this.#steps.filter((step) => step.made !== made);
    const held = rest.length < this.#steps.length;
    this.#steps = rest;
    return held;
  }
}

/** Two edits of the same text as one, which leads back to what it was before the first. */
function joinedEdit(first: Made, second: Made): Made | undefined {
  const [a, b] = [editOf(first), editOf(second)];
  if (!a || !b || a.id !== b.id || a.field !== b.field) return undefined;
  const inverse = { ...a.back, ...(b.back.from && { from: b.back.from }) };
  return { ...second, inverse: [inverse] };
}

function editOf({ changes, inverse }: Made) {
  const [change, more] = changes;
  const [back] = inverse;
  if (change?.kind !== 'update' || more || back?.kind !== 'update') return undefined;
  const [field, another] = Object.keys(change.patch);
  if (another !== undefined || (field !== 'title' && field !== 'description')) return undefined;
  return { id: change.id, field, back };
}

const stepsOf = new WeakMap<Replica, Steps>();
let hide: () => void = () => undefined;

/** Remembers what is made while the component is there, and offers to take it back. */
export function useUndo(replica: Replica): void {
  useEffect(() => {
    const steps = stepsOf.get(replica) ?? new Steps();
    stepsOf.set(replica, steps);
    return replica.onMade((made) => {
      if (made.undo || made.inverse.length === 0) return;
      const step = steps.push(made, Date.now());
      hide();
      hide = toast({
        text: describe(step.made),
        action: {
          label: t.undo.undo,
          run: () => {
            if (steps.take(step.made)) void takeBack(replica, steps, step.made);
          },
        },
      });
    });
  }, [replica]);
}

/** Takes back what was made last in this tab, for `u`; false if there is nothing. */
export function undoLast(replica: Replica): boolean {
  const steps = stepsOf.get(replica);
  const last = steps?.pop();
  if (!steps || !last) return false;
  void takeBack(replica, steps, last);
  return true;
}

async function takeBack(replica: Replica, steps: Steps, made: Made): Promise<void> {
  hide();
  try {
    const undone = await replica.undo(made);
    hide = toast({
      text: t.undo.undone(describe(made)),
      action: { label: t.undo.redo, run: () => void replica.change(...undone.inverse) },
    });
  } catch {
    steps.push(made, Date.now()); // the browser could not keep it, and has said so
  }
}
