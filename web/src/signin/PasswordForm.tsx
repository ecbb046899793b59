import { useEffect, useRef } from 'react';
import { Problem } from '../api/client';
import { signIn, type Password } from '../app/session';
import { Invalid, useSubmit } from '../app/submit';
import { Button, TextField } from '../design/controls';
import { Failure } from '../design/Failure';
import { PasswordField } from '../design/PasswordField';
import { t } from '../text/signin';

/** Signing in by name and password. `name` is who was here last; `onFactorNeeded` gets what is right, but not enough. */
export function PasswordForm({
  name,
  focus,
  onFactorNeeded,
}: {
  name: string;
  focus: boolean;
  onFactorNeeded: (proof: Password) => void;
}) {
  const first = useRef<HTMLFormElement>(null);
  const { busy, complaint, failure, onSubmit } = useSubmit(async (field) => {
    const proof = { name: field('name').trim(), password: field('password') };
    if (!proof.name) throw new Invalid({ name: t.needed.name });
    if (!proof.password) throw new Invalid({ password: t.needed.password });
    try {
      await signIn(proof);
    } catch (error) {
      const code = error instanceof Problem && error.code;
      if (code === 'wrong_password') throw new Invalid({ password: t.wrong });
      if (code !== 'second_factor_needed') throw error;
      onFactorNeeded(proof);
    }
  });
  useEffect(() => {
    if (focus) first.current?.querySelector('input')?.focus();
  }, [focus]);
  return (
    <form ref={first} noValidate onSubmit={onSubmit} className="mt-5 space-y-4">
      <TextField
        id="signin-name"
        name="name"
        label={t.name}
        defaultValue={name}
        error={complaint('name')}
        autoComplete="username webauthn"
        autoCapitalize="none"
        spellCheck={false}
        required
      />
      <PasswordField
        id="signin-password"
        name="password"
        label={t.password}
        error={complaint('password')}
        autoComplete="current-password"
        required
      />
      <Failure>{failure}</Failure>
      <Button type="submit" kind="primary" className="w-full" disabled={busy}>
        {t.go}
      </Button>
    </form>
  );
}
