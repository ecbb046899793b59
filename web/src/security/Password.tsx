import { useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { call } from '../api/client';
import { newPassword, useSubmit } from '../app/submit';
import { useUser } from '../app/user';
import { Button } from '../design/controls';
import { Failure } from '../design/Failure';
import { NewPasswordField, PasswordField } from '../design/PasswordField';
import { Section } from '../design/Section';
import { toast } from '../design/toast';
import { t } from '../text/security';
import { accessKey } from './AccessLog';
import { sessionsKey } from './Sessions';

/** A first password, or another one. */
export function Password() {
  const user = useUser();
  const queries = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const { busy, complaint, failure, onSubmit } = useSubmit(async (field) => {
    const body = { password: newPassword(field), old_password: field('old_password') };
    await call('put', '/api/me/password', { body });
    form.current?.reset();
    toast({ text: t.password.done });
    await Promise.all([sessionsKey, accessKey].map((queryKey) => queries.invalidateQueries({ queryKey })));
  });
  return (
    <Section title={t.password.title} hint={t.password.hint}>
      <form ref={form} noValidate onSubmit={onSubmit} className="max-w-md space-y-4">
        {/* Tells password managers whose password it is. */}
        <input
          hidden
          readOnly
          name="username"
          autoComplete="username"
          value={user.name}
          aria-label={t.password.user}
        />
        <PasswordField
          id="security-old"
          name="old_password"
          label={t.password.old}
          hint={t.password.oldHint}
          error={complaint('old_password')}
          autoComplete="current-password"
        />
        <NewPasswordField id="security-new" label={t.password.fresh} error={complaint('password')} />
        <Failure>{failure}</Failure>
        <Button type="submit" disabled={busy}>
          {t.password.set}
        </Button>
      </form>
    </Section>
  );
}
