import { useEffect, useRef, useState } from 'react';
import { call, Problem, type Schemas } from '../api/client';
import { Invalid, useSubmit } from '../app/submit';
import { Button, CodeField } from '../design/controls';
import { CopyButton } from '../design/CopyLine';
import { Failure } from '../design/Failure';
import { PasswordField } from '../design/PasswordField';
import { t } from '../text/security';
import { QrCode } from './QrCode';

/** Setting up an authenticator app: the password, then the app's first code; `onOn` gets the recovery codes. */
export function Enrol({ onOn }: { onOn: (codes: readonly string[]) => Promise<void> }) {
  const [step, setStep] = useState<'off' | 'password' | Schemas['Enrolment']>('off');
  const cancel = () => setStep('off');
  if (step === 'off') return <Button onClick={() => setStep('password')}>{t.factor.setUp}</Button>;
  if (step === 'password') return <Begin onBegun={setStep} onCancel={cancel} />;
  return <Confirm enrolment={step} onOn={onOn} onCancel={cancel} />;
}

function Begin(props: { onBegun: (enrolment: Schemas['Enrolment']) => void; onCancel: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const { busy, complaint, failure, onSubmit } = useSubmit(async (field) => {
    const password = field('password');
    if (!password) throw new Invalid({ password: t.factor.passwordNeeded });
    try {
      props.onBegun((await call('post', '/api/me/second-factor', { body: { password } })).body);
    } catch (error) {
      if (error instanceof Problem && error.code === 'no_password')
        throw new Invalid({ password: t.factor.needsPassword });
      throw error;
    }
  });
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  return (
    <form ref={form} noValidate onSubmit={onSubmit} className="max-w-md space-y-4">
      <PasswordField
        id="factor-password"
        name="password"
        label={t.factor.password}
        error={complaint('password')}
        autoComplete="current-password"
        required
      />
      <Failure>{failure}</Failure>
      <Buttons busy={busy} go={t.factor.next} onCancel={props.onCancel} />
    </form>
  );
}

function Confirm(props: {
  enrolment: Schemas['Enrolment'];
  onOn: (codes: readonly string[]) => Promise<void>;
  onCancel: () => void;
}) {
  const { id, secret, uri } = props.enrolment;
  const form = useRef<HTMLFormElement>(null);
  const { busy, complaint, failure, onSubmit } = useSubmit(async (field) => {
    const code = field('code').replace(/\s/g, '');
    if (!/^[0-9]{6}$/.test(code)) throw new Invalid({ code: t.factor.wrong });
    try {
      const confirmed = await call('post', '/api/me/second-factor/{id}/confirm', {
        path: { id },
        body: { code },
      });
      await props.onOn(confirmed.body.recovery_codes);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.code === 'wrong_code') throw new Invalid({ code: t.factor.wrong });
      if (error.code === 'not_found') throw new Invalid({ code: t.factor.tooLate });
      throw error;
    }
  });
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  return (
    <form ref={form} noValidate onSubmit={onSubmit} className="max-w-md space-y-4">
      <p>{t.factor.scan}</p>
      <QrCode text={uri} label={t.factor.picture} />
      <div>
        <p className="mb-1 text-sm text-soft">{t.factor.type}</p>
        <div className="flex items-center gap-3">
          <code className="rounded-md bg-sunken px-3 py-2 font-mono text-sm">{inFours(secret)}</code>
          <CopyButton text={secret} />
        </div>
      </div>
      <p>
        <a href={uri} className="inline-block min-h-6 text-accent underline">
          {t.factor.openApp}
        </a>
      </p>
      <CodeField id="factor-code" name="code" label={t.factor.first} error={complaint('code')} />
      <Failure>{failure}</Failure>
      <Buttons busy={busy} go={t.factor.switchOn} onCancel={props.onCancel} />
    </form>
  );
}

/** A secret as it is easiest to type. */
function inFours(secret: string): string {
  return secret.replace(/(.{4})(?=.)/g, '$1 ');
}

function Buttons({ busy, go, onCancel }: { busy: boolean; go: string; onCancel: () => void }) {
  return (
    <div className="flex gap-2">
      <Button type="submit" kind="primary" disabled={busy}>
        {go}
      </Button>
      <Button kind="quiet" onClick={onCancel}>
        {t.factor.cancel}
      </Button>
    </div>
  );
}
