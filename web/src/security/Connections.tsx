import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { call, type Schemas } from '../api/client';
import { useNow } from '../app/clock';
import { failureOf } from '../app/submit';
import { Button } from '../design/controls';
import { Failure } from '../design/Failure';
import { Section } from '../design/Section';
import { toast } from '../design/toast';
import { useOptions } from '../signin/options';
import { providerFailure } from '../signin/provider';
import { formatAgo } from '../text/moments';
import { t } from '../text/providers';

const connectionsKey = ['connections'];

/** The accounts elsewhere by which the user signs in; nothing where there is no such service and no such account. */
export function Connections() {
  const queries = useQueryClient();
  const list = useRef<HTMLUListElement>(null);
  const [failure, setFailure] = useState<string>();
  const providers = useOptions()?.providers ?? [];
  const { data, error } = useQuery({
    queryKey: connectionsKey,
    queryFn: async ({ signal }) => (await call('get', '/api/me/connections', { signal })).body,
  });
  const connect = async (provider: string) => {
    setFailure(undefined);
    try {
      location.assign((await call('post', '/api/me/connections', { body: { provider } })).body.url);
    } catch (refused) {
      setFailure(providerFailure(refused));
    }
  };
  const removed = async () => {
    await queries.invalidateQueries({ queryKey: connectionsKey });
    list.current?.focus(); // the button that had it is gone
    toast({ text: t.connections.removed, lasts: 2500 });
  };
  if (!providers.length && !data?.length) return null;
  return (
    <Section title={t.connections.title} hint={t.connections.hint}>
      <Failure>{failure ?? failureOf(error)}</Failure>
      <ul ref={list} tabIndex={-1} aria-label={t.connections.title} className="divide-y divide-line">
        {data?.map((c) => (
          <ConnectionItem key={c.id} connection={c} onRemoved={removed} />
        ))}
      </ul>
      {data?.length === 0 && <p className="text-soft">{t.connections.none}</p>}
      <div className="mt-3 flex flex-wrap gap-2">
        {providers.map(({ id, name }) => (
          <Button key={id} onClick={() => void connect(id)}>
            {t.connections.connect(name)}
          </Button>
        ))}
      </div>
    </Section>
  );
}

function ConnectionItem({
  connection: { id, name, email, connected_at },
  onRemoved,
}: {
  connection: Schemas['Connection'];
  onRemoved: () => Promise<void>;
}) {
  const now = useNow();
  const remove = useMutation({
    mutationFn: () => call('delete', '/api/me/connections/{id}', { path: { id } }),
    onSuccess: onRemoved,
  });
  const since = t.connections.since(formatAgo(Math.min(Date.parse(connected_at), now), now));
  return (
    <li className="py-2.5">
      <div className="flex items-center gap-3">
        <div className="min-w-0 grow">
          <p>{name}</p>
          <p className="text-sm break-words text-soft">{[email, since].filter(Boolean).join(' · ')}</p>
        </div>
        <Button
          kind="quiet"
          aria-label={t.connections.removeOf(name, email)}
          disabled={remove.isPending}
          onClick={() => remove.mutate()}
        >
          {t.connections.remove}
        </Button>
      </div>
      <Failure>{providerFailure(remove.error)}</Failure>
    </li>
  );
}
