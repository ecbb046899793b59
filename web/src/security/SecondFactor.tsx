import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { call, type Schemas } from '../api/client';
import { codeIn, withCode } from '../app/proof';
import { failureOf, Invalid, useSubmit } from '../app/submit';
import { useUser } from '../app/user';
import { Button, TextField } from '../design/controls';
import { Failure } from '../design/Failure';
import { PasswordField } from '../design/PasswordField';
import { Section } from '../design/Section';
import { toast } from '../design/toast';
import { formatMoment } from '../text/moments';
import { t } from '../text/security';
import { accessKey } from './AccessLog';
import { Enrol } from './Enrol';
import { RecoveryCodes } from './RecoveryCodes';

const factorKey = ['second factor'];

/** The second factor: setting it up, new recovery codes, switching it off. */
export function SecondFactor() {
  const queries = useQueryClient();
  const [codes, setCodes] = useState<readonly string[]>();
  const { data, error } = useQuery({
    queryKey: factorKey,
    queryFn: async ({ signal }) => (await call('get', '/api/me/second-factor', { signal })).body,
  });
  const changed = async (shown?: readonly string[]) => {
    setCodes(shown);
    await Promise.all([factorKey, accessKey].map((queryKey) => queries.invalidateQueries({ queryKey })));
  };
  const state = data?.enabled ? <Enabled state={data} onChanged={changed} /> : <Enrol onOn={changed} />;
  return (
    <Section title={t.factor.title} hint={t.factor.hint}>
      <Failure>{failureOf(error)}</Failure>
      {codes ? <RecoveryCodes codes={codes} onKept={() => setCodes(undefined)} /> : data && state}
    </Section>
  );
}

type Changed = (codes?: readonly string[]) => Promise<void>;

function Enabled({ state, onChanged }: { state: Schemas['SecondFactor']; onChanged: Changed }) {
  const { time_zone } = useUser();
  const [asked, setAsked] = useState<'renew' | 'off'>();
  const left = state.recovery_codes;
  const since = state.enabled_at ? formatMoment(Date.parse(state.enabled_at), time_zone) : '';
  const renew = async (body: Proof) =>
    onChanged((await call('post', '/api/me/second-factor/recovery-codes', { body })).body.recovery_codes);
  const switchOff = async (body: Proof) => {
    await call('post', '/api/me/second-factor/disable', { body });
    toast({ text: t.factor.isOff });
    await onChanged();
  };
  return (
    <>
      <p>
        {t.factor.on(since)} <span className={left < 3 ? 'text-late' : ''}>{t.factor.left(left)}</span>
      </p>
      <div className="flex flex-wrap gap-2">
        <Button aria-expanded={asked === 'renew'} onClick={() => setAsked('renew')}>
          {t.factor.renew}
        </Button>
        <Button kind="danger" aria-expanded={asked === 'off'} onClick={() => setAsked('off')}>
          {t.factor.off}
        </Button>
      </div>
      {asked === 'renew' && (
        <ProofForm
          key="renew"
          hint={t.factor.renewHint}
          go={t.factor.renew}
          send={renew}
          onCancel={() => setAsked(undefined)}
        />
      )}
      {asked === 'off' && (
        <ProofForm
          key="off"
          hint={t.factor.offHint}
          go={t.factor.off}
          send={switchOff}
          onCancel={() => setAsked(undefined)}
        />
      )}
    </>
  );
}

/** What shows that it is the user who asks. */
interface Proof {
  password: string;
  code: string;
}

function ProofForm(props: {
  hint: string;
  go: string;
  send: (proof: Proof) => Promise<void>;
  onCancel: () => void;
}) {
  const form = useRef<HTMLFormElement>(null);
  const { busy, complaint, failure, onSubmit } = useSubmit(async (field) => {
    const proof = { password: field('password'), code: codeIn(field, 'code') };
    if (!proof.password) throw new Invalid({ password: t.factor.passwordNeeded });
    if (!proof.code) throw new Invalid({ code: t.factor.codeNeeded });
    await withCode('code', () => props.send(proof));
  });
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  return (
    <form
      ref={form}
      noValidate
      aria-label={props.go}
      onSubmit={onSubmit}
      className="max-w-md space-y-4 rounded-md bg-sunken p-4"
    >
      <p>{props.hint}</p>
      <PasswordField
        id="proof-password"
        name="password"
        label={t.factor.password}
        error={complaint('password')}
        autoComplete="current-password"
        required
      />
      <TextField
        id="proof-code"
        name="code"
        label={t.factor.code}
        hint={t.factor.codeHint}
        error={complaint('code')}
        autoComplete="one-time-code"
        autoCapitalize="none"
        spellCheck={false}
        required
      />
      <Failure>{failure}</Failure>
      <div className="flex flex-wrap gap-2">
        <Button type="submit" kind="danger" disabled={busy}>
          {props.go}
        </Button>
        <Button kind="quiet" onClick={props.onCancel}>
          {t.factor.cancel}
        </Button>
      </div>
    </form>
  );
}
