/**
 * The pages of who is not signed in: signing in by name and password, and a code where there is a second factor; by a link
 * that holds a one-time code, `/signin#<code>`, or by that code typed by hand; making an account, `/signup#<code>` with an
 * invitation; having a link for a new password sent, `/forgotten`; and setting one, `/reset#<code>`.
 *
 * [Task]: T006
 */
import { useEffect, useRef, useState } from 'react';
import { Problem } from '../api/client';
import { follow, navigate, usePlace } from '../app/router';
import { checkSession, signIn, type Password, type Session } from '../app/session';
import { failureOf } from '../app/submit';
import { Button } from '../design/controls';
import { t as page } from '../text';
import { t } from '../text/signin';
import { ComeBack } from './ComeBack';
import { Door } from './Door';
import { FactorForm } from './FactorForm';
import { Forgotten, ForgottenHint } from './Forgotten';
import { LinkForm } from './LinkForm';
import { useOptions } from './options';
import { PasskeyButton } from './PasskeyButton';
import { PasswordForm } from './PasswordForm';
import { comesBackTo } from './provider';
import { Providers } from './Providers';
import { Reset } from './Reset';
import { SignUp } from './SignUp';

export default function SignIn({ session }: { session: Session }) {
  const { path } = usePlace();
  if (path === '/signup') return <SignUp session={session} />;
  if (path === '/reset') return <Reset />;
  if (path === '/forgotten') return <Forgotten name={'user' in session ? session.user.name : ''} />;
  if (path.startsWith(comesBackTo)) return <ComeBack />;
  return <Proving session={session} />;
}

function Proving({ session }: { session: Session }) {
  const failure = useLink();
  const options = useOptions();
  const [proof, setProof] = useState<Password>();
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
  if (proof) {
    return (
      <Door title={t.factor.title}>
        <FactorForm proof={proof} onBack={() => setProof(undefined)} />
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
        onFactorNeeded={setProof}
      />
      <PasskeyButton site={options?.passkeys} />
      <Providers list={options?.providers} />
      <LinkForm open={failure !== undefined} />
      <ForgottenHint byMail={options?.reset_by_mail} />
      {options?.sign_up === 'open' && (
        <p className="mt-4 text-sm">
          {t.signUp.offer}{' '}
          <a href="/signup" onClick={follow} className="text-accent underline">
            {t.signUp.title}
          </a>
        </p>
      )}
      {options?.sign_up === 'invitation' && <p className="mt-4 text-sm text-soft">{t.signUp.by}</p>}
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
