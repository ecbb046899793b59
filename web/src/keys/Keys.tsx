import { lazy, Suspense, useEffect, useState } from 'react';
import { navigate } from '../app/router';
import { undoLast } from '../changes/undo';
import { useReplica } from '../replica/store';
import { listen, useActions } from './keys';

const Help = lazy(() => import('./Help'));
const Palette = lazy(() => import('./Palette'));

/** The keyboard of the page: what works anywhere, the list of keys, and the command palette. */
export function Keys() {
  const replica = useReplica();
  const [open, setOpen] = useState<'help' | 'palette'>();
  useEffect(listen, []);
  useActions({
    undo: () => undoLast(replica),
    help: () => setOpen('help'),
    palette: () => setOpen('palette'),
    goToday: () => navigate('/today'),
    goUpcoming: () => navigate('/upcoming'),
    goAll: () => navigate('/all'),
    goDone: () => navigate('/done'),
    goInbox: () => navigate('/inbox'),
  });
  const close = () => setOpen(undefined);
  return (
    <Suspense>
      {open === 'help' && <Help onClose={close} />}
      {open === 'palette' && <Palette onClose={close} />}
    </Suspense>
  );
}
