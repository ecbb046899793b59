import { useCallback, useMemo, useState } from 'react';
import { extend, nothing, toggle, toggleAll, within } from './selection';

/** The selection of a list, and what changes it. */
export function useSelection(order: readonly string[], shown: ReadonlyMap<string, unknown>) {
  const [chosen, setChosen] = useState(nothing);
  const selection = useMemo(() => within(chosen, shown), [chosen, shown]);
  return {
    ids: selection.ids,
    toggle: useCallback((id: string) => setChosen((before) => toggle(before, id)), []),
    extend: (from: string, to: string) => setChosen(extend(selection, order, from, to)),
    toggleAll: (group: readonly string[]) => setChosen(toggleAll(selection, group)),
    clear: () => setChosen(nothing),
  };
}
