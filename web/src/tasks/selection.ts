/**
 * Which tasks are selected, for doing one thing to all of them. Pure; a change makes a new selection.
 */
export interface Selection {
  ids: ReadonlySet<string>;
  /** Where a range begins: the task that was selected last by itself. */
  anchor: string | undefined;
}

export const nothing: Selection = { ids: new Set(), anchor: undefined };

/** Selects a task, or no longer. */
export function toggle({ ids }: Selection, id: string): Selection {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return { ids: next, anchor: id };
}

/** Selects, besides, everything from the anchor to a task; `from` is the anchor where there is none yet. */
export function extend(selection: Selection, order: readonly string[], from: string, to: string): Selection {
  const anchor = selection.anchor !== undefined && order.includes(selection.anchor) ? selection.anchor : from;
  const [first, last] = [order.indexOf(anchor), order.indexOf(to)].sort((a, b) => a - b);
  if (first === undefined || last === undefined || first < 0) return selection;
  return { ids: new Set([...selection.ids, ...order.slice(first, last + 1)]), anchor };
}

/** Selects all of a group, or, where all of it is selected, none of it. */
export function toggleAll({ ids, anchor }: Selection, group: readonly string[]): Selection {
  const next = new Set(ids);
  const all = group.every((id) => ids.has(id));
  for (const id of group) {
    if (all) next.delete(id);
    else next.add(id);
  }
  return { ids: next, anchor: all ? anchor : group[0] };
}

/** What of a selection is still in the list: nothing is done to what nobody sees. */
export function within(selection: Selection, shown: ReadonlyMap<string, unknown>): Selection {
  const ids = [...selection.ids].filter((id) => shown.has(id));
  return ids.length === selection.ids.size ? selection : { ids: new Set(ids), anchor: selection.anchor };
}
