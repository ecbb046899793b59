import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { say } from '../design/say';
import { formatNumber, t } from '../text';
import { extend, nothing, toggle, toggleAll, within } from './selection';

/** The selection of a list, and what changes it. */
export function useSelection(order: readonly string[], shown: ReadonlyMap<string, unknown>) {
  const [chosen, setChosen] = useState(nothing);
  const selection = useMemo(() => within(chosen, shown), [chosen, shown]);
  useSaid(chosen.ids.size);
  return {
    ids: selection.ids,
    toggle: useCallback((id: string) => setChosen((before) => toggle(before, id)), []),
    extend: (from: string, to: string) => setChosen(extend(selection, order, from, to)),
    toggleAll: (group: readonly string[]) => setChosen(toggleAll(selection, group)),
    clear: () => setChosen(nothing),
  };
}

/** Says how many the user has selected, and when it is none again; not that selected tasks have left the list. */
function useSaid(size: number): void {
  const before = useRef(size);
  useEffect(() => {
    if (size !== before.current) say(t.bulk.selected(formatNumber(size)));
    before.current = size;
  }, [size]);
}
