import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { call, type Schemas } from '../api/client';
import { useNow } from '../app/clock';
import { failureOf, useSubmit } from '../app/submit';
import { Button, Chip, TextField } from '../design/controls';
import { Failure } from '../design/Failure';
import { Section } from '../design/Section';
import { toast } from '../design/toast';
import { useOptions } from '../signin/options';
import { hasPasskeys, passkeyFailure } from '../signin/passkey';
import { formatAgo } from '../text/moments';
import { t } from '../text/passkeys';
import { accessKey } from './AccessLog';
import { NewPasskey } from './NewPasskey';

const passkeysKey = ['passkeys'];

/** The passkeys by which the user signs in: adding, renaming and removing them, or why there can be none. */
export function Passkeys() {
  const queries = useQueryClient();
  const list = useRef<HTMLUListElement>(null);
  const site = useOptions()?.passkeys;
  const { data, error } = useQuery({
    queryKey: passkeysKey,
    queryFn: async ({ signal }) => (await call('get', '/api/me/passkeys', { signal })).body,
  });
  const changed = async (told?: string) => {
    await Promise.all([passkeysKey, accessKey].map((queryKey) => queries.invalidateQueries({ queryKey })));
    list.current?.focus(); // what had it is gone
    if (told) toast({ text: told });
  };
  return (
    <Section title={t.title} hint={t.hint}>
      <Failure>{failureOf(error)}</Failure>
      <ul ref={list} tabIndex={-1} aria-label={t.title} className="divide-y divide-line">
        {data?.map((p) => (
          <PasskeyItem key={p.id} passkey={p} onChanged={changed} />
        ))}
      </ul>
      {data?.length === 0 && <p className="text-soft">{t.none}</p>}
      {site !== undefined && <Adding site={site} onAdded={() => changed(t.added)} />}
    </Section>
  );
}

function Adding({ site, onAdded }: { site: string; onAdded: () => Promise<void> }) {
  if (!site) return <p className="text-soft">{t.unavailable}</p>;
  if (site !== location.origin) return <p className="text-soft">{t.elsewhere(site)}</p>;
  if (!hasPasskeys()) return <p className="text-soft">{t.unsupported}</p>;
  return <NewPasskey onAdded={onAdded} />;
}

type Changed = (told?: string) => Promise<void>;

function PasskeyItem({ passkey, onChanged }: { passkey: Schemas['Passkey']; onChanged: Changed }) {
  const { id, name, synced, host, works } = passkey;
  const [renaming, setRenaming] = useState(false);
  const remove = useMutation({
    mutationFn: () => call('delete', '/api/me/passkeys/{id}', { path: { id } }),
    onSuccess: () => onChanged(t.removed),
  });
  const renamed = async () => {
    setRenaming(false);
    await onChanged();
  };
  return (
    <li className="py-2.5">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <div className="min-w-0 grow">
          <p className="flex flex-wrap items-center gap-2 wrap-anywhere">
            <bdi>{name}</bdi>
            {synced && <Chip>{t.synced}</Chip>}
            {!works && <Chip>{t.useless}</Chip>}
          </p>
          <p className="text-sm wrap-anywhere text-soft">{useFacts(passkey)}</p>
          {!works && <p className="text-sm wrap-anywhere">{t.uselessHint(host)}</p>}
        </div>
        <Button kind="quiet" aria-label={t.renameOf(name)} onClick={() => setRenaming(true)}>
          {t.rename}
        </Button>
        <Button
          kind="quiet"
          aria-label={t.removeOf(name)}
          disabled={remove.isPending}
          onClick={() => remove.mutate()}
        >
          {t.remove}
        </Button>
      </div>
      {renaming && <RenameForm passkey={passkey} onDone={renamed} onCancel={() => setRenaming(false)} />}
      <Failure>{passkeyFailure(remove.error)}</Failure>
    </li>
  );
}

/** When it came and was used, and for which host, where that is not this one. */
function useFacts({ created_at, last_used_at, host }: Schemas['Passkey']): string {
  const now = useNow();
  const ago = (at: string) => formatAgo(Math.min(Date.parse(at), now), now);
  const facts = [t.since(ago(created_at)), last_used_at ? t.used(ago(last_used_at)) : t.unused];
  return (host === location.hostname ? facts : [t.at(host), ...facts]).join(' · ');
}

function RenameForm(props: {
  passkey: Schemas['Passkey'];
  onDone: () => Promise<void>;
  onCancel: () => void;
}) {
  const { id, name } = props.passkey;
  const { busy, complaint, failure, onSubmit } = useSubmit(async (field) => {
    const body = { name: field('name').trim() };
    await call('patch', '/api/me/passkeys/{id}', { path: { id }, body });
    await props.onDone();
  });
  return (
    <form noValidate onSubmit={onSubmit} aria-label={t.renameOf(name)} className="mt-2 max-w-md space-y-3">
      <TextField
        id={`passkey-${id}`}
        name="name"
        label={t.newName}
        defaultValue={name}
        error={complaint('name')}
        autoComplete="off"
        required
      />
      <Failure>{failure}</Failure>
      <div className="flex gap-2">
        <Button type="submit" kind="primary" disabled={busy}>
          {t.save}
        </Button>
        <Button kind="quiet" onClick={props.onCancel}>
          {t.cancel}
        </Button>
      </div>
    </form>
  );
}
