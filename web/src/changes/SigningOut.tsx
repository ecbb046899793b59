/**
 * Signing out: at once, unless something has not reached the server yet. Then the user decides, and what they wrote
 * stays in this browser, where it is sent when they sign in again; everything else of theirs is forgotten.
 *
 * [Task]: T061
 */
import { useEffect, useEffectEvent, useState } from 'react';
import { endSession, whenSigningOut } from '../app/session';
import { Button } from '../design/controls';
import { Dialog } from '../design/Dialog';
import { toast } from '../design/toast';
import { forgetFilters } from '../filter/saved';
import { useReplica } from '../replica/store';
import { t } from '../text';

export function SigningOut() {
  const replica = useReplica();
  const [unsent, setUnsent] = useState(0);
  const leave = async () => {
    setUnsent(0);
    try {
      await endSession(async () => {
        forgetFilters(replica.owner.id);
        await replica.forget();
      });
    } catch {
      toast({ text: t.signingOut.failed, tone: 'late' });
    }
  };
  const asked = useEffectEvent(async () => {
    const { pending, refused } = replica.getSnapshot();
    const count = pending.length + refused.length;
    if (count > 0) setUnsent(count);
    else await leave();
  });
  useEffect(() => whenSigningOut(() => asked()), []);
  if (unsent === 0) return null;
  return (
    <Dialog title={t.signingOut.heading} onClose={() => setUnsent(0)}>
      <p>{t.signingOut.waiting(unsent)}</p>
      <div className="mt-5 flex flex-wrap justify-end gap-2">
        <Button onClick={() => setUnsent(0)}>{t.signingOut.stay}</Button>
        <Button kind="danger" onClick={() => void leave()}>
          {t.signingOut.leave}
        </Button>
      </div>
    </Dialog>
  );
}
