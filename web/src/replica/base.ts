import type { Known, Task } from './types';

/**
 * What the server said, and as of which list version. Messages may repeat, come late and in any order (a page, an
 * update, an answer): the newest version of a task wins, and what was deleted stays deleted until something newer
 * says otherwise.
 */
export class Base {
  readonly #known = new Map<string, Known>();
  readonly #deleted = new Map<string, number>();
  /** Ids that changed since {@link takeDirty} was last asked. */
  #dirty = new Set<string>();
  /** Ids that changed since {@link takeTouched} was last asked. */
  #touched = new Set<string>();
  /** Every change up to this list version is in: where /ws goes on from. -1 before the first load. */
  version = -1;

  /** Takes in a task as it was at a list version. A deleted one goes. */
  put(task: Task, asOf: number): void {
    if (task.status === 'deleted') {
      this.remove(task.id, asOf);
      return;
    }
    const held = this.#known.get(task.id);
    if (held && held.task.version >= task.version) {
      held.asOf = Math.max(held.asOf, asOf);
      return;
    }
    const deleted = this.#deleted.get(task.id);
    if (deleted !== undefined && deleted >= asOf) return;
    this.#deleted.delete(task.id);
    this.#known.set(task.id, { task, asOf });
    this.#mark(task.id);
  }

  /** Takes in that a task was deleted at a list version. */
  remove(id: string, asOf: number): void {
    const held = this.#known.get(id);
    if (held && held.asOf > asOf) return;
    this.#deleted.set(id, Math.max(asOf, this.#deleted.get(id) ?? -1));
    if (this.#known.delete(id)) this.#mark(id);
  }

  /** After a load whose pages are all from list version `since` or later: drops what none of them had. */
  sweep(since: number): void {
    for (const [id, known] of this.#known) {
      if (known.asOf < since) {
        this.#known.delete(id);
        this.#deleted.set(id, since - 1);
        this.#mark(id);
      }
    }
  }

  get(id: string): Task | undefined {
    return this.#known.get(id)?.task;
  }

  get size(): number {
    return this.#known.size;
  }

  known(): IterableIterator<Known> {
    return this.#known.values();
  }

  /** Fills an empty base with what was kept; it is not dirty. */
  fill(kept: readonly Known[], version: number): void {
    for (const known of kept) {
      this.#known.set(known.task.id, known);
      this.#touched.add(known.task.id);
    }
    this.version = version;
  }

  #mark(id: string): void {
    this.#dirty.add(id);
    this.#touched.add(id);
  }

  /** The ids of tasks that changed since the last call, for what shows. */
  takeTouched(): Set<string> {
    const out = this.#touched;
    this.#touched = new Set();
    return out;
  }

  /** The tasks that changed since the last call, for the disk; `known` is undefined for those that are gone. */
  takeDirty(): { id: string; known: Known | undefined }[] {
    const out = [...this.#dirty].map((id) => ({ id, known: this.#known.get(id) }));
    this.#dirty = new Set();
    return out;
  }
}
