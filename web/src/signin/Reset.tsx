import { useEffect, useRef } from 'react';
import { call, Problem } from '../api/client';
import { navigate } from '../app/router';
import { checkSession } from '../app/session';
import { Invalid, newPassword, useSubmit } from '../app/submit';
import { Button } from '../design/controls';
import { Failure } from '../design/Failure';
import { NewPasswordField } from '../design/PasswordField';
import { toast } from '../design/toast';
import { t } from '../text/signin';
import { codeIn } from './code';
import { Door } from './Door';

/** Setting a new password by the code of a link, without being signed in and without signing in. */
export function Reset() {
  const form = useRef<HTMLFormElement>(null);
  const { busy, complaint, failure, onSubmit } = useSubmit(async (field) => {
    const code = codeIn(location.hash);
    if (!code) throw new Invalid({ code: t.reset.incomplete });
    try {
      await call('post', '/api/password/reset', { body: { code, password: newPassword(field) } });
    } catch (error) {
      if (error instanceof Problem && error.code === 'invalid_code')
        throw new Invalid({ code: t.reset.refused });
      throw error;
    }
    await checkSession(); // whoever was signed in here may be signed out by this
    navigate('/', true);
    toast({ text: t.reset.done, lasts: 0 });
  });
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  return (
    <Door title={t.reset.title}>
      <p className="mt-3 text-soft">{t.reset.hint}</p>
      <form ref={form} noValidate onSubmit={onSubmit} className="mt-5 space-y-4">
        <NewPasswordField id="reset-password" label={t.reset.password} error={complaint('password')} />
        <Failure>{failure}</Failure>
        <Button type="submit" kind="primary" className="w-full" disabled={busy}>
          {t.reset.go}
        </Button>
      </form>
    </Door>
  );
}
