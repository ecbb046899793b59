/**
 * API tokens: those there are, a new one, whose secret is shown once, and taking one back.
 *
 * [Task]: T006
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call, Problem, type Schemas } from '../api/client';
import { useNow } from '../app/clock';
import { Button } from '../design/controls';
import { Failure } from '../design/Failure';
import { Section } from '../design/Section';
import { t } from '../text/account';
import { formatAgo } from '../text/moments';
import { CopyLine } from '../design/CopyLine';
import { NewToken } from './NewToken';

const queryKey = ['tokens'];

export function Tokens() {
  const queries = useQueryClient();
  const [secret, setSecret] = useState<Schemas['NewTokenAnswer']>();
  const { data, error } = useQuery({
    queryKey,
    queryFn: async ({ signal }) => (await call('get', '/api/tokens', { signal })).body,
  });
  const reload = () => void queries.invalidateQueries({ queryKey });
  return (
    <Section title={t.settings.tokens} hint={t.settings.tokensHint}>
      <Failure>{error ? messageOf(error) : undefined}</Failure>
      {data?.length === 0 && <p className="text-sm text-soft">{t.settings.noTokens}</p>}
      <ul className="divide-y divide-line">
        {data?.map((token) => (
          <TokenItem key={token.id} token={token} onGone={reload} />
        ))}
      </ul>
      {secret ? (
        <div role="status" className="space-y-3 rounded-md bg-accent-wash p-4">
          <p className="text-sm">{t.settings.created}</p>
          <CopyLine label={secret.name} text={secret.token} />
          <Button onClick={() => setSecret(undefined)}>{t.settings.hide}</Button>
        </div>
      ) : (
        <NewToken
          onMade={(made) => {
            setSecret(made);
            reload();
          }}
        />
      )}
    </Section>
  );
}

function messageOf(error: Error): string {
  return error instanceof Problem && !error.passing ? error.message : t.settings.unreachable;
}

function TokenItem({ token, onGone }: { token: Schemas['Token']; onGone: () => void }) {
  const now = useNow();
  const [asked, setAsked] = useState(false);
  const revoke = useMutation({
    mutationFn: () => call('delete', '/api/tokens/{id}', { path: { id: token.id } }),
    onSuccess: onGone,
  });
  return (
    <li className="py-2.5">
      <div className="flex items-center gap-3">
        <div className="min-w-0 grow">
          <p className="truncate" dir="auto">
            {token.name}
          </p>
          <p className="text-sm text-soft">
            {[t.settings.scopes[token.scope], ...timesOf(token, now)].join(' · ')}
          </p>
        </div>
        <Button
          kind="quiet"
          aria-label={t.settings.revoke(token.name)}
          aria-expanded={asked}
          onClick={() => setAsked(!asked)}
        >
          {t.settings.doRevoke}
        </Button>
      </div>
      {asked && (
        <div
          role="group"
          aria-label={t.settings.revoke(token.name)}
          className="mt-2 rounded-md bg-sunken p-3 text-sm"
        >
          <p>{t.settings.sure(token.name)}</p>
          <Failure>{revoke.error ? messageOf(revoke.error) : undefined}</Failure>
          <div className="mt-2 flex gap-2">
            <Button kind="danger" disabled={revoke.isPending} onClick={() => revoke.mutate()}>
              {t.settings.doRevoke}
            </Button>
            <Button kind="quiet" onClick={() => setAsked(false)}>
              {t.settings.keep}
            </Button>
          </div>
        </div>
      )}
    </li>
  );
}

function timesOf(token: Schemas['Token'], now: number): string[] {
  const used = token.last_used_at ? Math.min(Date.parse(token.last_used_at), now) : undefined;
  const times = [used === undefined ? t.settings.usedNever : t.settings.usedLast(formatAgo(used, now))];
  if (token.expires_at) {
    const end = Date.parse(token.expires_at);
    times.push(end <= now ? t.settings.ended : t.settings.ends(formatAgo(end, now)));
  }
  return times;
}
