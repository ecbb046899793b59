import { useEffect, useRef } from 'react';
import { Problem } from '../api/client';
import { follow, navigate } from '../app/router';
import { signUp, type Session } from '../app/session';
import { Invalid, newPassword, useSubmit } from '../app/submit';
import { Button, TextField } from '../design/controls';
import { Failure } from '../design/Failure';
import { NewPasswordField } from '../design/PasswordField';
import { t } from '../text/signin';
import { codeIn } from './code';
import { Door } from './Door';
import { useOptions } from './options';
import { Providers } from './Providers';

/** Making an account, with an invitation where that is needed. */
export function SignUp({ session }: { session: Session }) {
  const options = useOptions();
  const invited = location.hash.length > 1;
  return (
    <Door title={t.signUp.title}>
      {session.state === 'signed-in' && <p className="mt-3 text-soft">{t.signUp.as(session.user.name)}</p>}
      {options?.sign_up === 'closed' ? (
        <p className="mt-3 text-soft">{t.signUp.closed}</p>
      ) : (
        <>
          <Form invitation={invited || options?.sign_up === 'invitation'} />
          <Providers list={options?.providers} invitation={location.hash.slice(1)} />
        </>
      )}
      <p className="mt-6 text-center">
        <a href="/" onClick={follow} className="inline-block min-h-6 text-accent underline">
          {session.state === 'signed-in' ? t.signUp.back : t.signUp.signIn}
        </a>
      </p>
    </Door>
  );
}

/** `invitation`: whether one is asked for. The code stays in the address until it is used, so that a reload finds it. */
function Form({ invitation }: { invitation: boolean }) {
  const form = useRef<HTMLFormElement>(null);
  const { busy, complaint, failure, onSubmit } = useSubmit(async (field) => {
    const name = field('name').trim();
    if (!name) throw new Invalid({ name: t.needed.name });
    const account = { name, password: newPassword(field) };
    const code = invitation ? codeIn(field('invitation')) : undefined;
    if (invitation && !code) throw new Invalid({ invitation: t.signUp.notInvited });
    try {
      await signUp({ ...account, ...(code && { invitation: code }) });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.code === 'invalid_invitation') throw new Invalid({ invitation: t.signUp.refused });
      if (error.code === 'conflict') throw new Invalid({ name: t.signUp.taken });
      throw error;
    }
    navigate('/', true);
  });
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  return (
    <form ref={form} noValidate onSubmit={onSubmit} className="mt-5 space-y-4">
      <TextField
        id="signup-name"
        name="name"
        label={t.name}
        hint={t.signUp.nameHint}
        error={complaint('name')}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
      />
      <NewPasswordField id="signup-password" label={t.password} error={complaint('password')} />
      {invitation && (
        <TextField
          id="signup-invitation"
          name="invitation"
          label={t.signUp.invitation}
          hint={t.signUp.invitationHint}
          defaultValue={location.hash.slice(1)}
          error={complaint('invitation')}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          required
        />
      )}
      <Failure>{failure}</Failure>
      <Button type="submit" kind="primary" className="w-full" disabled={busy}>
        {t.signUp.go}
      </Button>
    </form>
  );
}
