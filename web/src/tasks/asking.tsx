import { lazy, Suspense, useState } from 'react';
import type { Task } from '../replica/types';

/** A question about tasks that a dialog asks: which day, which tags. */
export interface Ask {
  what: 'date' | 'tag';
  tasks: readonly Task[];
}

const DateDialog = lazy(() => import('./DateDialog'));
const TagDialog = lazy(() => import('./TagDialog'));

export function useAsking(): [asking: Ask | undefined, ask: (ask: Ask | undefined) => void] {
  return useState<Ask>();
}

/** The dialog that is open, if any; loaded when the first one is. */
export function Choosers({ asking, onClose }: { asking: Ask | undefined; onClose: () => void }) {
  if (!asking) return null;
  const Chooser = asking.what === 'date' ? DateDialog : TagDialog;
  return (
    <Suspense fallback={null}>
      <Chooser tasks={asking.tasks} onClose={onClose} />
    </Suspense>
  );
}
