/**
 * Signing in by a link that holds a one-time code, `/signin#<code>`, or by that code typed by hand; and what to do when
 * there is none, or it no longer works.
 *
 * [Task]: T006
 */
import { useEffect, useRef, useState, type SyntheticEvent } from 'react';
import { Problem } from '../api/client';
import { navigate, usePlace } from '../app/router';
import { checkSession, signIn, type Session } from '../app/session';
import { Button, TextField } from '../design/controls';
import { t } from '../text';
import { codeIn } from './code';

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
      setFailure(messageOf(error));
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
    <main className="grid h-full place-items-center overflow-y-auto px-6 py-8">
      <div className="w-full max-w-sm animate-appear">
        <img src="/icon.svg" alt="" className="mx-auto mb-6 size-14" />
        <h1 className="text-center text-title font-semibold tracking-tight">{t.signIn.title}</h1>
        {failure && (
          <p role="alert" className="mt-3 text-late">
            {failure}
          </p>
        )}
        {state === 'unreachable' ? (
          <div className="text-center">
            <p className="mt-3 mb-6 text-soft">{t.signIn.unreachable}</p>
            <Button kind="primary" onClick={() => void checkSession()}>
              {t.signIn.again}
            </Button>
          </div>
        ) : (
          <>
            {state === 'expired' && <p className="mt-3 text-soft">{t.signIn.expired}</p>}
            <ByHand />
          </>
        )}
      </div>
    </main>
  );
}

function messageOf(error: unknown): string {
  return error instanceof Problem && !error.passing ? t.signIn.refused : t.signIn.unreachable;
}

/** The code typed or pasted, and where to get one. */
function ByHand() {
  const [text, setText] = useState('');
  const [complaint, setComplaint] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: SyntheticEvent) => {
    event.preventDefault();
    const code = codeIn(text);
    if (!code) {
      setComplaint(t.signIn.incomplete);
      return;
    }
    setBusy(true);
    try {
      await signIn(code);
    } catch (error) {
      setComplaint(messageOf(error));
      setBusy(false);
    }
  };
  return (
    <>
      <p className="mt-3 mb-4 text-soft">{t.signIn.how}</p>
      <form noValidate onSubmit={(event) => void submit(event)} className="space-y-3">
        <TextField
          id="signin-code"
          label={t.signIn.code}
          value={text}
          error={complaint}
          autoComplete="one-time-code"
          spellCheck={false}
          onChange={(event) => {
            setText(event.target.value);
            setComplaint(undefined);
          }}
        />
        <Button type="submit" kind="primary" className="w-full" disabled={busy || text.trim() === ''}>
          {t.signIn.go}
        </Button>
      </form>
      <p className="mt-8 mb-2 text-sm text-soft">{t.signIn.newLink}</p>
      <code className="block rounded-md border border-line bg-surface px-4 py-2 font-mono text-sm">
        {t.signIn.command}
      </code>
      <p className="mt-2 text-sm text-soft">{t.signIn.elsewhere}</p>
    </>
  );
}
