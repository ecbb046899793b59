/**
 * What was refused, why, and what can be done with it. Pure.
 */
import type { Change, NewTask, Refusal } from '../replica/types';
import { quoted, t } from '../text';

/** Refusals that are decided together: a new task or a change that failed, and what was to be done with the task after it. */
export interface Matter {
  id: string;
  refusals: readonly Refusal[];
}

export type Choice = 'again' | 'mine' | 'bringBack' | 'asNew' | 'edit';

export function mattersOf(refused: readonly Refusal[]): Matter[] {
  const leading = new Set(
    refused
      .filter((r) => r.pending.change.kind === 'create' || r.code === 'failed')
      .map((r) => r.pending.change.id),
  );
  const matters = new Map<string, Refusal[]>();
  for (const refusal of refused) {
    const { change, seq } = refusal.pending;
    const key = leading.has(change.id) ? change.id : String(seq);
    matters.set(key, [...(matters.get(key) ?? []), refusal]);
  }
  return [...matters].map(([id, refusals]) => ({ id, refusals }));
}

/** What the user wanted: `Change “Water the plants”`. */
export function wishOf({ pending: { change }, title }: Refusal): string {
  const name = change.kind === 'create' ? (change.body.title ?? change.body.quick ?? title) : title;
  const what = name ? quoted(name) : t.undo.one;
  switch (change.kind) {
    case 'create':
      return t.refused.add(what);
    case 'tags':
    case 'update':
      return t.refused.update(what);
    default:
      return t.refused[change.kind](what);
  }
}

/** Why it was refused: the client's own words where it has some, else the server's, field by field. */
export function reasonsOf({ code, message, fields }: Refusal): string[] {
  const own = t.refused.why[code];
  if (own) return [own];
  if (fields.length === 0) return [message];
  return fields.map(({ field, detail }) => `${t.refused.fields[field] ?? field}: ${detail}`);
}

/** What was to be set, by the name that a person knows. */
export function valuesOf(change: Change): [name: string, value: string][] {
  switch (change.kind) {
    case 'create':
      return named(change.body);
    case 'update':
      return named(change.patch);
    case 'tags':
      return (
        [
          [t.refused.tagsAdded, change.add.join(', ')],
          [t.refused.tagsRemoved, change.remove.join(', ')],
        ] as [string, string][]
      ).filter(([, value]) => value !== '');
    default:
      return [];
  }
}

function named(body: object): [string, string][] {
  return Object.entries(body)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]: [string, unknown]) => [t.refused.fields[field] ?? field, written(value)]);
}

function written(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ') || t.refused.empty;
  return typeof value === 'string' && value !== '' ? value : t.refused.empty;
}

/** The choices that make sense; taking over the server's state, and copying, always do. */
export function choicesOf({ refusals }: Matter): Choice[] {
  const [first] = refusals;
  if (!first) return [];
  const { change } = first.pending;
  if (first.code === 'failed') return ['again'];
  if (change.kind === 'create')
    return first.status === 400 || first.status === 413 ? ['edit'] : ['again', 'edit'];
  if (first.code === 'text_conflict' || first.code === 'version_conflict') return ['mine'];
  if (first.code === 'task_deleted') return ['bringBack'];
  if (first.status === 404 || first.status === 410) return change.kind === 'update' ? ['asNew'] : [];
  return first.status === 400 || first.status === 413 ? [] : ['again'];
}

/** The changes that a choice puts in the place of what was refused; `fresh` names a new task. */
export function changesFor(
  matter: Matter,
  choice: Choice,
  fresh: () => { id: string; key: string },
): Change[] {
  const changes = matter.refusals.map((r) => r.pending.change);
  const [first] = changes;
  if (!first) return [];
  switch (choice) {
    case 'again':
      if (first.kind !== 'create' || matter.refusals[0]?.code === 'failed') return changes;
      return renamed(changes, fresh());
    case 'mine':
      return changes.map((change) => {
        if (change.kind !== 'update') return change;
        const { kind, id, patch } = change;
        return { kind, id, patch }; // without the text it began from: the last write wins
      });
    case 'bringBack':
      return [{ kind: 'restore', id: first.id }, ...changes];
    case 'asNew':
      return first.kind === 'update' ? [{ kind: 'create', ...fresh(), body: bodyOf(matter) }] : [];
    case 'edit':
      return [];
  }
}

/** Another key, for one that met an answer to something else; so it is another task. One that failed keeps its own: it may have been made. */
function renamed(changes: readonly Change[], { id, key }: { id: string; key: string }): Change[] {
  return changes.map((change) => (change.kind === 'create' ? { ...change, id, key } : { ...change, id }));
}

/** The new task that a refused edit would make of the one that is gone. */
function bodyOf({ refusals }: Matter): NewTask {
  const body: NewTask = { title: refusals[0]?.title ?? '' };
  for (const { pending } of refusals) {
    if (pending.change.kind !== 'update') continue;
    for (const [field, value] of Object.entries(pending.change.patch))
      if (value !== null) Object.assign(body, { [field]: value });
  }
  return body;
}

/** All that the user wrote, as text to take elsewhere. */
export function textOf({ refusals }: Matter): string {
  return refusals
    .flatMap(({ pending }) => valuesOf(pending.change))
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}
