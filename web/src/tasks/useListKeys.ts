import type { RefObject } from 'react';
import { openOrEnter } from '../panel/address';
import { useActions } from '../keys/keys';
import { useReplica } from '../replica/store';
import type { Change, Task } from '../replica/types';
import type { Ask } from './asking';
import { completion, deletion, prioritised } from './changes';

interface Context {
  list: RefObject<HTMLElement | null>;
  /** The task under the cursor. */
  here: Task | undefined;
  by: (steps: number) => void;
  selected: () => Task[];
  edit: (id: string) => void;
  ask: (ask: Ask) => void;
  select: (id: string) => void;
  extend: (steps: number) => void;
  selectGroup: () => unknown;
  clear: () => void;
}

/** What keys do in the list: to the selected tasks or, where none is, to the one that has the focus. */
export function useListKeys({ list, here, by, selected, ...does }: Context): void {
  const replica = useReplica();
  const focused = () => (list.current?.contains(document.activeElement) ? here : undefined);
  const targets = () => {
    const one = focused();
    const many = selected();
    return many.length > 0 || !one ? many : [one];
  };
  const onTargets = (changes: (tasks: Task[]) => Change[]) => () => {
    const tasks = targets();
    if (tasks.length === 0) return false;
    const made = changes(tasks);
    if (made.length > 0) void replica.change(...made);
    return true;
  };
  const onFocused = (run: (task: Task) => void) => () => {
    const task = focused();
    if (!task) return false;
    run(task);
    return true;
  };
  const asking = (what: Ask['what']) => () => {
    const tasks = targets();
    if (tasks.length === 0) return false;
    does.ask({ what, tasks });
    return true;
  };
  useActions({
    next: () => by(1),
    previous: () => by(-1),
    first: onFocused(() => by(-Infinity)),
    last: onFocused(() => by(Infinity)),
    open: onFocused(({ id }) => openOrEnter(id)),
    edit: onFocused(({ id }) => does.edit(id)),
    complete: onTargets(completion),
    date: asking('date'),
    tag: asking('tag'),
    high: onTargets((tasks) => prioritised(tasks, 'high')),
    medium: onTargets((tasks) => prioritised(tasks, 'medium')),
    low: onTargets((tasks) => prioritised(tasks, 'low')),
    delete: onTargets(deletion),
    select: onFocused(({ id }) => does.select(id)),
    selectDown: onFocused(() => does.extend(1)),
    selectUp: onFocused(() => does.extend(-1)),
    selectGroup: onFocused(() => does.selectGroup()),
    back: () => {
      if (selected().length === 0) return false;
      does.clear();
      return true;
    },
  });
}
