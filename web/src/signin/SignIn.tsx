/**
 * The page of who is not signed in: by name and password, by a link that holds a one-time code, `/signin#<code>`, or by
 * that code typed by hand.
 *
 * [Task]: T006
 */
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { Problem } from '../api/client';
import { navigate, usePlace } from '../app/router';
import { checkSession, signIn, type Session } from '../app/session';
import { failureOf } from '../app/submit';
import { Button } from '../design/controls';
import { t as page } from '../text';
import { t } from '../text/signin';
import { LinkForm } from './LinkForm';
import { PasswordForm } from './PasswordForm';

export default function SignIn({ session }: { session: Session }) {
  const failure = useLink();
  const { state } = session;
  if (state === 'unknown' && !failure) {
    return (
      <p className="sr-only" role="status">
        {t.working}
      </p>
    );
  }
  if (state === 'unreachable') {
    return (
      <Door title={t.title}>
        <p className="mt-3 mb-6 text-center text-soft">{page.unreachable}</p>
        <Button kind="primary" className="w-full" onClick={() => void checkSession()}>
          {t.again}
        </Button>
      </Door>
    );
  }
  return (
    <Door title={t.title}>
      {failure && (
        <p role="alert" className="mt-3 text-late">
          {failure}
        </p>
      )}
      {state === 'expired' && (
        <p role="status" className="mt-3 text-soft">
          {t.expired}
        </p>
      )}
      <PasswordForm
        name={'user' in session ? session.user.name : ''}
        focus={state === 'signed-out' && !failure}
      />
      <LinkForm open={failure !== undefined} />
    </Door>
  );
}

/** Redeems the code in the address, if there is one, and returns what went wrong with it. */
function useLink(): string | undefined {
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
    signIn({ code }).catch((error: unknown) => {
      const refused = error instanceof Problem && error.code === 'invalid_code';
      setFailure(refused ? t.link.refused : failureOf(error));
      void checkSession(); // this browser may be signed in all the same
    });
  }, [path]);
  return failure;
}

/** What everybody sees who is not in yet. */
function Door({ title, children }: { title: string; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · ${page.app}`;
  }, [title]);
  return (
    <main className="grid h-full place-items-center overflow-y-auto px-6 py-8">
      <div className="w-full max-w-sm animate-appear">
        <img src="/icon.svg" alt="" className="mx-auto mb-6 size-14" />
        <h1 className="text-center text-title font-semibold tracking-tight">{title}</h1>
        {children}
      </div>
    </main>
  );
}
