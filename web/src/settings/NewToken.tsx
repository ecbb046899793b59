import { useMutation } from '@tanstack/react-query';
import { useState, type SyntheticEvent } from 'react';
import { call, Problem, type Schemas } from '../api/client';
import { useUser } from '../app/user';
import { Button, TextField } from '../design/controls';
import { Failure } from '../design/Failure';
import { t } from '../text/account';

const control = 'h-10 rounded-md border border-edge bg-surface px-2';
const day = 86_400_000;

/** The form of a new token. */
export function NewToken({ onMade }: { onMade: (made: Schemas['NewTokenAnswer']) => void }) {
  const { admin } = useUser();
  const [name, setName] = useState('');
  const [scope, setScope] = useState<Schemas['Token']['scope']>('write');
  const [days, setDays] = useState('0');
  const make = useMutation({
    mutationFn: async () => {
      const expires_at = days === '0' ? null : new Date(Date.now() + Number(days) * day).toISOString();
      return (await call('post', '/api/tokens', { body: { name, scope, expires_at } })).body;
    },
    onSuccess: (made) => {
      setName('');
      onMade(made);
    },
  });
  const problem = make.error instanceof Problem ? make.error : undefined;
  const complaint = problem?.field('name');
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <form noValidate onSubmit={submit} className="flex flex-wrap items-start gap-3">
      <TextField
        id="settings-token-name"
        label={t.settings.tokenName}
        value={name}
        error={complaint}
        autoComplete="off"
        onChange={(event) => setName(event.target.value)}
        className="min-w-48 grow"
      />
      <label className="text-sm font-medium text-soft">
        <span className="mb-1 block">{t.settings.tokenScope}</span>
        <select
          value={scope}
          onChange={(event) => setScope(event.target.value as Schemas['Token']['scope'])}
          className={`${control} text-base font-normal text-ink`}
        >
          <option value="write">{t.settings.scopes.write}</option>
          <option value="read">{t.settings.scopes.read}</option>
          {admin && <option value="admin">{t.settings.scopes.admin}</option>}
        </select>
      </label>
      <label className="text-sm font-medium text-soft">
        <span className="mb-1 block">{t.settings.tokenDays}</span>
        <select
          value={days}
          onChange={(event) => setDays(event.target.value)}
          className={`${control} text-base font-normal text-ink`}
        >
          {Object.entries(t.settings.days).map(([n, text]) => (
            <option key={n} value={n}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <Button type="submit" className="mt-6 h-10" disabled={make.isPending}>
        {t.settings.create}
      </Button>
      <div className="w-full">
        <Failure>
          {make.error && !complaint
            ? problem && !problem.passing
              ? problem.message
              : t.settings.unreachable
            : undefined}
        </Failure>
      </div>
    </form>
  );
}
