/**
 * Signing in by a link that holds a one-time code: `/signin#<code>`.
 *
 * [Task]: T006
 */
import { useEffect, useRef, useState } from 'react';
import { Problem } from '../api/client';
import { navigate, usePlace } from '../app/router';
import { checkSession, signIn, type Session } from '../app/session';
import { Button } from '../design/controls';
import { t } from '../text';

export function SignIn({ state }: { state: Session['state'] }) {
  const { path } = usePlace();
  const [failure, setFailure] = useState<string>();
  const started = useRef(false);
  useEffect(() => {
    if (path !== '/signin' || started.current) return;
    started.current = true;
    const code = location.hash.slice(1);
    navigate('/', true); // the code works once: keep it out of the history
    if (!code) {
      void checkSession();
      return;
    }
    signIn(code).catch((error: unknown) => {
      setFailure(error instanceof Problem && error.status < 500 ? t.signIn.used : t.signIn.unreachable);
      void checkSession(); // this browser may be signed in all the same
    });
  }, [path]);
  if (state === 'unknown' && !failure) {
    return (
      <p className="sr-only" role="status">
        {t.signIn.working}
      </p>
    );
  }
  return (
    <main className="grid h-full place-items-center px-6">
      <div className="w-full max-w-sm animate-appear text-center">
        <img src="/icon.svg" alt="" className="mx-auto mb-6 size-14" />
        <h1 className="text-title font-semibold tracking-tight">{t.signIn.title}</h1>
        {failure && (
          <p role="alert" className="mt-3 text-late">
            {failure}
          </p>
        )}
        {state === 'unreachable' ? (
          <>
            <p className="mt-3 mb-6 text-soft">{t.signIn.unreachable}</p>
            <Button kind="primary" onClick={() => void checkSession()}>
              {t.signIn.again}
            </Button>
          </>
        ) : (
          <>
            {state === 'expired' && <p className="mt-3 text-soft">{t.signIn.expired}</p>}
            <p className="mt-3 mb-4 text-soft">{t.signIn.how}</p>
            <code className="rounded-md border border-line bg-surface px-4 py-2 font-mono text-sm">
              {t.signIn.command}
            </code>
          </>
        )}
      </div>
    </main>
  );
}
