/**
 * The steps that can be taken back with `u`: those made in this tab, before a reload too, and those of tabs that have
 * been closed. They are kept on disk; a step is one open tab's, so that no tab takes back what another has made.
 *
 * [Task]: T061
 */
import type { Store } from './db';
import { newKey } from './taskid';
import type { Made, Pending } from './types';

/** How many steps can be taken back. */
const most = 200;
/** For how many milliseconds: what `u` takes back should be something that the user remembers. */
const lasts = 24 * 3_600_000;
/** Edits of one text that follow each other within this many milliseconds are one step: it is saved as it is typed. */
const pause = 10_000;

export interface Step {
  id: string;
  /** The tab that takes it back. */
  tab: string;
  /** When it was made, in milliseconds since 1970; of two steps of a tab the later one has the greater number. */
  at: number;
  made: Made;
}

export class Steps {
  readonly #store: Store;
  readonly #tab: string;
  /** The last one last. */
  #steps: readonly Step[];

  private constructor(store: Store, tab: string, steps: readonly Step[]) {
    this.#store = store;
    this.#tab = tab;
    this.#steps = steps;
  }

  /** Takes over the steps of this tab and of those that are not open any more. */
  static async open(
    store: Store,
    tab: string,
    isOpen: (tab: string) => boolean,
    now: number,
  ): Promise<Steps> {
    const held = await store.claimSteps((all) => {
      const mine = all
        .filter((step) => step.tab === tab || !isOpen(step.tab))
        .sort((a, b) => a.at - b.at)
        .map((step) => ({ ...step, tab }));
      const kept = mine.filter((step) => now - step.at < lasts).slice(-most);
      return { put: kept, remove: mine.filter((step) => !kept.includes(step)).map((step) => step.id) };
    });
    return new Steps(store, tab, held);
  }

  /** Takes a step; returns it, or the one that it makes with the step before. */
  push(made: Made, now: number): Step {
    const last = this.#steps.at(-1);
    const one = last && now - last.at < pause ? joinedEdit(last.made, made) : undefined;
    const at = Math.max(now, (last?.at ?? 0) + 1);
    const step = { id: one && last ? last.id : newKey(), tab: this.#tab, at, made: one ?? made };
    const before = one ? this.#steps.slice(0, -1) : this.#steps;
    this.#set([...before, step].slice(-most));
    return step;
  }

  /** Takes out the last step. */
  pop(): Step | undefined {
    const last = this.#steps.at(-1);
    if (last) this.take(last.id);
    return last;
  }

  /** Takes out one step, wherever it is; undefined if it has been taken back already. */
  take(id: string): Step | undefined {
    const step = this.#steps.find((s) => s.id === id);
    if (step) this.#set(this.#steps.filter((s) => s !== step));
    return step;
  }

  /** A change that the server refused was never made: there is nothing of it to take back. */
  refused({ seq, change: { id } }: Pending): void {
    const without = ({ made, ...step }: Step): Step => {
      if (!made.seqs.includes(seq)) return { made, ...step };
      return { ...step, made: { ...made, inverse: made.inverse.filter((change) => change.id !== id) } };
    };
    if (this.#steps.some(({ made }) => made.seqs.includes(seq)))
      this.#set(this.#steps.map(without).filter(({ made }) => made.inverse.length > 0));
  }

  /** Keeps the steps. A browser that cannot keep them has them in this page still. */
  #set(steps: readonly Step[]): void {
    const before = this.#steps;
    this.#steps = steps;
    const put = steps.filter((step) => !before.includes(step));
    const held = new Set(steps.map((step) => step.id));
    const remove = before.filter((step) => !held.has(step.id)).map((step) => step.id);
    this.#store.changeSteps({ put, remove }).catch(() => undefined);
  }
}

/** Two edits of the same text as one, which leads back to what it was before the first. */
function joinedEdit(first: Made, second: Made): Made | undefined {
  const [a, b] = [editOf(first), editOf(second)];
  if (!a || !b || a.id !== b.id || a.field !== b.field) return undefined;
  const inverse = { ...a.back, ...(b.back.from && { from: b.back.from }) };
  return { ...second, inverse: [inverse], seqs: [...first.seqs, ...second.seqs] };
}

function editOf({ changes, inverse }: Made) {
  const [change, more] = changes;
  const [back] = inverse;
  if (change?.kind !== 'update' || more || back?.kind !== 'update') return undefined;
  const [field, another] = Object.keys(change.patch);
  if (another !== undefined || (field !== 'title' && field !== 'description')) return undefined;
  return { id: change.id, field, back };
}
