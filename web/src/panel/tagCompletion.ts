/** Completion of tags from those in use. Pure. */
import { fold } from '../replica/fold';
import type { Task } from '../replica/types';

/** Tags in use that hold a text and are not taken yet: those that begin with it first, the most used before others. */
export function completions(tasks: Iterable<Task>, text: string, taken: readonly string[]): string[] {
  const wanted = fold(text.trim());
  const held = new Set(taken.map(fold));
  const found = new Map<string, { tag: string; n: number }>();
  for (const task of tasks) {
    for (const tag of task.tags) {
      const key = fold(tag);
      if (held.has(key) || !key.includes(wanted)) continue;
      const before = found.get(key);
      if (before) before.n++;
      else found.set(key, { tag, n: 1 });
    }
  }
  const late = (key: string) => (key.startsWith(wanted) ? 0 : 1);
  return [...found]
    .sort(([a, x], [b, y]) => late(a) - late(b) || y.n - x.n || a.localeCompare(b))
    .slice(0, 8)
    .map(([, { tag }]) => tag);
}
