import { useEffect, useRef, useState } from 'react';
import { call } from '../api/client';
import { follow } from '../app/router';
import { Invalid, useSubmit } from '../app/submit';
import { Button, TextField } from '../design/controls';
import { Failure } from '../design/Failure';
import { t } from '../text/signin';
import { Command, Door } from './Door';

/** What helps who does not know their password: a page, where this server sends e-mail. */
export function ForgottenHint({ byMail }: { byMail: boolean | undefined }) {
  if (byMail) {
    return (
      <p className="mt-3">
        <a href="/forgotten" onClick={follow} className="inline-block min-h-6 text-accent underline">
          {t.forgotten.title}
        </a>
      </p>
    );
  }
  return (
    <details className="mt-3">
      <summary className="min-h-6 cursor-pointer font-medium">{t.forgotten.title}</summary>
      <p className="mt-3 mb-2 text-sm text-soft">{t.forgotten.how}</p>
      <Command>{t.forgotten.command}</Command>
    </details>
  );
}

/** Having a link to set a new password sent. The server tells nobody whether there is such an account; neither does this. */
export function Forgotten({ name }: { name: string }) {
  const [sent, setSent] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const { busy, complaint, failure, onSubmit } = useSubmit(async (field) => {
    const account = field('account').trim();
    if (!account) throw new Invalid({ account: t.forgotten.needed });
    await call('post', '/api/password/forgotten', { body: { account } });
    setSent(true);
  });
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  return (
    <Door title={t.forgotten.title}>
      {sent ? (
        <p role="status" className="mt-3">
          {t.forgotten.sent}
        </p>
      ) : (
        <>
          <p className="mt-3 text-soft">{t.forgotten.byMail}</p>
          <form ref={form} noValidate onSubmit={onSubmit} className="mt-5 space-y-4">
            <TextField
              id="forgotten-account"
              name="account"
              label={t.forgotten.account}
              defaultValue={name}
              error={complaint('account')}
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              maxLength={254}
              required
            />
            <Failure>{failure}</Failure>
            <Button type="submit" kind="primary" className="w-full" disabled={busy}>
              {t.forgotten.go}
            </Button>
          </form>
        </>
      )}
      <p className="mt-6 text-center">
        <a href="/" onClick={follow} className="inline-block min-h-6 text-accent underline">
          {t.forgotten.back}
        </a>
      </p>
    </Door>
  );
}
