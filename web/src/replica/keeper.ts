import type { Base } from './base';
import type { Store } from './db';
import { inTurn, type Still } from './turn';

/** How long changes of the base are gathered before they are kept, in milliseconds. */
const keepAfter = 200;

/** Keeps the base on disk, in one tab alone: a slower one must not put back what a faster one has replaced. */
export class Keeper {
  readonly #store: Store;
  readonly #base: Base;
  /** Whether the base is all there is as of its version; while it is loaded, it is not. */
  readonly #whole: () => boolean;
  #still: Still | undefined;
  /** What another tab has kept is not known here: the first time, everything is written. */
  #first = true;
  #lost: () => void = () => undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #kept = Promise.resolve();

  constructor(store: Store, base: Base, whole: () => boolean) {
    this.#store = store;
    this.#base = base;
    this.#whole = whole;
  }

  /** Keeps whenever it is this tab's turn, until the signal. */
  async run(user: string, signal: AbortSignal): Promise<void> {
    const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    try {
      while (!signal.aborted) {
        await inTurn(this.#store, `docket-base-${user}`, signal, async (still) => {
          this.#still = still;
          this.#first = true;
          this.soon();
          await Promise.race([ended, new Promise<void>((resolve) => (this.#lost = resolve))]);
          this.#still = undefined;
        });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      clearTimeout(this.#timer);
    }
  }

  /** Something has changed: keeps it soon, if it is this tab's turn. */
  soon(): void {
    if (!this.#still || !this.#whole()) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#kept = this.#kept.then(() => this.#keep()); // in turn: each builds on what the one before has kept
    }, keepAfter);
  }

  async #keep(): Promise<void> {
    const still = this.#still;
    if (!still) return;
    try {
      if (!(await still())) {
        this.#lost();
        return;
      }
      if (!this.#whole()) return; // a load has begun since, and keeps at its end
      const changed = this.#base.takeDirty();
      const whole = this.#first;
      this.#first = false;
      const all = whole ? [...this.#base.known()].map((known) => ({ id: known.task.id, known })) : changed;
      await this.#store.keep(all, this.#base.version, whole);
    } catch {
      this.#still = undefined; // the disk is full or gone: what is kept stays as it was, and is caught up from there
    }
  }
}
