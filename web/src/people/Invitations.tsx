import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { call, type Schemas } from '../api/client';
import { useNow } from '../app/clock';
import { failureOf, useSubmit } from '../app/submit';
import { Button, TextField } from '../design/controls';
import { Failure } from '../design/Failure';
import { Section } from '../design/Section';
import { toast } from '../design/toast';
import { formatAgo } from '../text/moments';
import { t } from '../text/people';
import { OneTimeLink } from './OneTimeLink';

const queryKey = ['invitations'];
const day = 86_400_000;

/** The invitations that are open, a new one, and taking one back. */
export function Invitations() {
  const queries = useQueryClient();
  const list = useRef<HTMLUListElement>(null);
  const [link, setLink] = useState<string>();
  const options = useQuery({
    queryKey: ['sign-in options'],
    queryFn: async ({ signal }) => (await call('get', '/api/session/options', { signal })).body,
  });
  const { data, error } = useQuery({
    queryKey,
    queryFn: async ({ signal }) => (await call('get', '/api/invitations', { signal })).body,
  });
  const reload = () => queries.invalidateQueries({ queryKey });
  const revoked = async () => {
    await reload();
    list.current?.focus(); // the button that had it is gone
    toast({ text: t.invitations.revoked, lasts: 2500 });
  };
  const way = options.data?.sign_up;
  const making = link ? (
    <OneTimeLink
      text={t.invitations.made}
      label={t.invitations.link}
      link={link}
      onDone={() => setLink(undefined)}
    />
  ) : (
    <NewInvitation
      onMade={(code) => {
        setLink(`${location.origin}/signup#${code}`);
        void reload();
      }}
    />
  );
  return (
    <Section title={t.invitations.title} hint={t.invitations.hint}>
      <Failure>{failureOf(error)}</Failure>
      {way === 'closed' && <p>{withCode(t.invitations.closed)}</p>}
      {way === 'open' && <p className="text-sm text-soft">{t.invitations.open}</p>}
      {data?.length === 0 && way !== 'closed' && <p className="text-sm text-soft">{t.invitations.none}</p>}
      <ul ref={list} tabIndex={-1} aria-label={t.invitations.title} className="divide-y divide-line">
        {data?.map((one) => (
          <InvitationItem key={one.id} invitation={one} onRevoked={revoked} />
        ))}
      </ul>
      {way && way !== 'closed' && making}
    </Section>
  );
}

/** A text with what is typed, between backticks, as such: it is not broken at its hyphens. */
function withCode(text: string) {
  return text.split('`').map((part, i) =>
    i % 2 === 0 ? (
      part
    ) : (
      <code key={part} className="font-mono text-sm whitespace-nowrap">
        {part}
      </code>
    ),
  );
}

function InvitationItem(props: { invitation: Schemas['Invitation']; onRevoked: () => Promise<void> }) {
  const { id, note, expires_at } = props.invitation;
  const now = useNow();
  const name = note || t.invitations.unnamed;
  const revoke = useMutation({
    mutationFn: () => call('delete', '/api/invitations/{id}', { path: { id } }),
    onSuccess: props.onRevoked,
  });
  return (
    <li className="py-2.5">
      <div className="flex items-center gap-3">
        <div className="min-w-0 grow">
          <p className="truncate" dir="auto">
            {name}
          </p>
          <p className="text-sm text-soft">{t.invitations.ends(formatAgo(Date.parse(expires_at), now))}</p>
        </div>
        <Button
          kind="quiet"
          aria-label={t.invitations.revokeOf(name)}
          disabled={revoke.isPending}
          onClick={() => revoke.mutate()}
        >
          {t.invitations.revoke}
        </Button>
      </div>
      <Failure>{failureOf(revoke.error)}</Failure>
    </li>
  );
}

function NewInvitation({ onMade }: { onMade: (code: string) => void }) {
  const { busy, complaint, failure, onSubmit } = useSubmit(async (field) => {
    const expires_at = new Date(Date.now() + Number(field('days')) * day - 60_000).toISOString(); // clocks differ
    const body = { note: field('note').trim(), expires_at };
    onMade((await call('post', '/api/invitations', { body })).body.code);
  });
  return (
    <form noValidate onSubmit={onSubmit} className="flex flex-wrap items-start gap-3">
      <TextField
        id="people-note"
        name="note"
        label={t.invitations.note}
        hint={t.invitations.noteHint}
        error={complaint('note')}
        autoComplete="off"
        className="min-w-48 grow"
      />
      <label className="text-sm font-medium text-soft">
        <span className="mb-1 block">{t.invitations.days}</span>
        <select
          name="days"
          defaultValue="7"
          className="h-10 rounded-md border border-edge bg-surface px-2 text-base font-normal text-ink"
        >
          {Object.entries(t.invitations.lasts).map(([n, text]) => (
            <option key={n} value={n}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <Button type="submit" className="mt-6 h-10" disabled={busy}>
        {t.invitations.make}
      </Button>
      <div className="w-full">
        <Failure>{failure}</Failure>
      </div>
    </form>
  );
}
