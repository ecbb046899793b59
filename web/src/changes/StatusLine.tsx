/**
 * The line that is there only when it matters: the network is away and stays away, the server does not do its part,
 * or it has refused something.
 *
 * [Task]: T069
 */
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { Button } from '../design/controls';
import { say } from '../design/say';
import { useRefused, useReplica, useStatus } from '../replica/store';
import { t } from '../text';

const RefusedDialog = lazy(() => import('./RefusedDialog'));

/** How long something has to last before it is told, in milliseconds: a short break is nobody's business. */
const matters = 4_000;

export function StatusLine() {
  const replica = useReplica();
  const status = useStatus();
  const refused = useRefused().length;
  const [open, setOpen] = useState(false);
  const failing = status.trouble === 'failing';
  const away = status.load !== 'empty' && (status.live !== 'open' || status.trouble === 'unreachable');
  const lasting = useLasting(failing || away);
  useSaidWhenOver(lasting);
  const line = 'flex flex-wrap items-center gap-x-2';
  return (
    <>
      {/* not atomic: with each change that waits the whole line would be read again */}
      <div role="status" aria-atomic="false" className="mx-auto w-full max-w-3xl px-4 text-sm md:px-8">
        {lasting && (
          <p className={`${line} animate-appear pt-2 text-soft`}>
            {failing ? t.status.failing : t.status.offline}
            {status.waiting > 0 && <span>{t.status.waiting(status.waiting)}</span>}
            <Button kind="offer" className="h-7 px-2" onClick={() => replica.connect()}>
              {t.status.tryNow}
            </Button>
          </p>
        )}
        {refused > 0 && (
          <p className={`${line} animate-appear pt-2 text-late`}>
            {t.status.refused(refused)}
            <Button kind="offer" className="h-7 px-2" onClick={() => setOpen(true)}>
              {t.status.show}
            </Button>
          </p>
        )}
      </div>
      {open && (
        <Suspense>
          <RefusedDialog onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}

/** The line goes without a sound: that it has gone is said. */
function useSaidWhenOver(lasting: boolean): void {
  const before = useRef(lasting);
  useEffect(() => {
    if (before.current && !lasting) say(t.status.over);
    before.current = lasting;
  }, [lasting]);
}

function useLasting(now: boolean): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (!now) return;
    const timer = setTimeout(() => setLasting(true), matters);
    return () => {
      clearTimeout(timer);
      setLasting(false);
    };
  }, [now]);
  return lasting;
}
