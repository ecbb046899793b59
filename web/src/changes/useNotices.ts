/**
 * Tells, by toasts, what became of the user's changes: what was made and can be taken back, edits of one text that
 * met, and a browser that could not keep something.
 *
 * [Task]: T061, T069
 */
import { useEffect } from 'react';
import { navigate } from '../app/router';
import { toast } from '../design/toast';
import type { Replica } from '../replica/store';
import type { Meeting } from '../replica/types';
import { quoted, t } from '../text';
import { useUndo } from './undo';

export function useNotices(replica: Replica): void {
  useUndo(replica);
  useEffect(() => replica.onMeeting((met) => tellMeeting(replica, met)), [replica]);
  useEffect(() => replica.onUnkept(() => toast({ text: t.unkept, tone: 'late', lasts: 0 })), [replica]);
}

function tellMeeting(replica: Replica, { id, field, kept, mine, theirs }: Meeting): void {
  if (field === 'title') {
    toast({
      text: t.met.title(quoted(mine), quoted(theirs)),
      lasts: 0,
      action: {
        label: t.met.useTheirs,
        run: () =>
          void replica.change({ kind: 'update', id, patch: { title: theirs }, from: { title: mine } }),
      },
    });
    return;
  }
  toast({
    text: kept === 'both' ? t.met.both : t.met.merged,
    lasts: kept === 'both' ? 0 : 10_000,
    action: { label: t.met.show, run: () => open(id) },
  });
}

/** Opens the task beside whatever list is there. */
function open(id: string): void {
  const query = new URLSearchParams(location.search);
  query.set('task', id);
  navigate(`${location.pathname}?${query.toString()}`);
}
