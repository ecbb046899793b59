/**
 * Two people who edit one text at once: both edits stay. A text is compared with the one its edit began from, and
 * where another has changed it meanwhile, a description is merged (the three-way merge of diff3: what only one side
 * changed is taken from that side), while a title, which cannot be two, becomes the later one and the earlier is shown
 * beside it. Pure.
 *
 * [Task]: T061, T069
 */
import type { Change, Meeting, Task, Texts } from './types';

export type Update = Extract<Change, { kind: 'update' }>;

/** The server's limit of a description, in code points. */
const descriptionLimit = 2000;

/** What an edit becomes over the task as the server has it. */
export type Outcome =
  /** `update` is what to send, over just this version of the task. */
  | { kind: 'send'; update: Update; meetings: Meeting[] }
  /** Everything the edit wants is there: it was sent before, and its answer was lost. */
  | { kind: 'done' }
  /** Both texts together are longer than a description may be. */
  | { kind: 'conflict' };

/** Compares an edit of texts with the task as the server has it. */
export function reconcile(update: Update, task: Task): Outcome {
  const { from } = update;
  if (!from) return { kind: 'send', update, meetings: [] };
  const patch = { ...update.patch };
  const base: Texts = { ...from };
  const meetings: Meeting[] = [];
  for (const field of ['title', 'description'] as const) {
    const began = from[field];
    if (patch[field] === undefined || began === undefined) continue;
    const mine = patch[field] ?? '';
    const theirs = task[field];
    if (theirs === began || theirs === mine) continue;
    base[field] = theirs;
    if (field === 'title') {
      meetings.push({ id: task.id, field, kept: 'mine', mine, theirs });
      continue;
    }
    const { text, met } = merge(began, mine, theirs);
    if (Array.from(text).length > descriptionLimit) return { kind: 'conflict' };
    patch.description = text;
    meetings.push({ id: task.id, field, kept: met ? 'both' : 'merged', mine, theirs });
  }
  if (meetings.length === 0) {
    const fields = Object.keys(patch) as (keyof typeof patch)[];
    const there = fields.every((f) => (f === 'title' || f === 'description') && task[f] === (patch[f] ?? ''));
    return there ? { kind: 'done' } : { kind: 'send', update, meetings };
  }
  return { kind: 'send', update: { ...update, patch, from: base }, meetings };
}

/**
 * Merges two edits of a text: line by line, and word by word within lines that both have changed. Where both changed
 * the same words, both versions of the lines stay, theirs first; `met` tells so.
 */
export function merge(base: string, mine: string, theirs: string): { text: string; met: boolean } {
  let met = 0;
  const text = merge3(lines(base), lines(mine), lines(theirs), (o, a, b) => {
    let clashes = 0;
    const within = merge3(words(o), words(a), words(b), () => {
      clashes++;
      return [];
    });
    met += clashes;
    return clashes === 0 ? within : [...ended(b), ...a];
  }).join('');
  return { text, met: met > 0 };
}

/** Lines with their ends. */
function lines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Words, and what is between them. */
function words(of: readonly string[]): string[] {
  return of.join('').match(/\s|[\p{L}\p{N}\p{M}]+|[^\s\p{L}\p{N}\p{M}]/gu) ?? [];
}

/** Lines of which the last one has an end too, so that more can follow. */
function ended(of: readonly string[]): string[] {
  const last = of.at(-1);
  return last === undefined || last.endsWith('\n') ? [...of] : [...of.slice(0, -1), `${last}\n`];
}

type Resolve = (base: string[], mine: string[], theirs: string[]) => string[];

/** Takes what stands in all three as fixed, and between two such places what one side alone has changed. */
function merge3(base: string[], mine: string[], theirs: string[], resolve: Resolve): string[] {
  const inMine = matches(base, mine);
  const inTheirs = matches(base, theirs);
  const out: string[] = [];
  for (let o = 0, m = 0, t = 0; ;) {
    let fixed = o;
    while (fixed < base.length && (inMine[fixed] === -1 || inTheirs[fixed] === -1)) fixed++;
    const toMine = inMine[fixed] ?? mine.length;
    const toTheirs = inTheirs[fixed] ?? theirs.length;
    out.push(...settle(base.slice(o, fixed), mine.slice(m, toMine), theirs.slice(t, toTheirs), resolve));
    if (fixed >= base.length) return out;
    out.push(base[fixed] ?? '');
    [o, m, t] = [fixed + 1, toMine + 1, toTheirs + 1];
  }
}

function settle(base: string[], mine: string[], theirs: string[], resolve: Resolve): string[] {
  if (equal(mine, base) || equal(mine, theirs)) return theirs;
  if (equal(theirs, base)) return mine;
  return resolve(base, mine, theirs);
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}

/** For each part of a its place in b, or -1, by a longest common subsequence; n·m steps, both under 4,000. */
function matches(a: readonly string[], b: readonly string[]): number[] {
  const width = b.length + 1;
  const length = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number) => length[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--)
      length[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const found = a.map(() => -1);
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) found[i++] = j++;
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return found;
}
