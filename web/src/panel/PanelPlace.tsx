import { lazy, Suspense } from 'react';
import { useOpenTask } from './address';

const TaskPanel = lazy(() => import('./TaskPanel'));

/** Where the panel of the task in the address stands, loaded when the first is opened. */
export function PanelPlace() {
  const id = useOpenTask();
  if (!id) return null;
  return (
    <Suspense>
      <TaskPanel key={id} id={id} />
    </Suspense>
  );
}
