import { useEffect, useRef, useState } from 'react';
import { Problem } from '../api/client';
import { signIn, type Password } from '../app/session';
import { Invalid, useSubmit } from '../app/submit';
import { Button, CodeField, TextField } from '../design/controls';
import { Failure } from '../design/Failure';
import { t } from '../text/signin';

/** The second step of signing in by a password that is right: a code of the authenticator, or a recovery code. */
export function FactorForm({ proof, onBack }: { proof: Password; onBack: () => void }) {
  const [recovery, setRecovery] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const { busy, complaint, failure, onSubmit } = useSubmit(async (field) => {
    const code = field('second_factor').replace(/\s/g, '');
    if (!code) throw new Invalid({ second_factor: t.needed.code });
    try {
      await signIn({ ...proof, second_factor: code });
    } catch (error) {
      if (error instanceof Problem && error.code === 'wrong_code')
        throw new Invalid({ second_factor: recovery ? t.factor.wrongRecovery : t.factor.wrong });
      throw error;
    }
  });
  useEffect(() => form.current?.querySelector('input')?.focus(), [recovery]);
  const error = complaint('second_factor');
  return (
    <>
      <p className="mt-3 text-soft">{recovery ? t.factor.howRecovery : t.factor.how(proof.name)}</p>
      <form ref={form} noValidate onSubmit={onSubmit} className="mt-5 space-y-4">
        {recovery ? (
          <TextField
            key="recovery"
            id="signin-recovery"
            name="second_factor"
            label={t.factor.recoveryCode}
            error={error}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            required
          />
        ) : (
          <CodeField key="app" id="signin-factor" name="second_factor" label={t.factor.code} error={error} />
        )}
        <Failure>{failure}</Failure>
        <Button type="submit" kind="primary" className="w-full" disabled={busy}>
          {t.factor.go}
        </Button>
      </form>
      <div className="mt-4 flex flex-wrap justify-between gap-2">
        <Button kind="quiet" onClick={onBack}>
          {t.factor.back}
        </Button>
        <Button kind="quiet" onClick={() => setRecovery(!recovery)}>
          {recovery ? t.factor.useApp : t.factor.useRecovery}
        </Button>
      </div>
      {recovery && <p className="mt-4 text-sm text-soft">{t.factor.lost}</p>}
    </>
  );
}
