import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { call, type Schemas } from '../api/client';
import { useNow } from '../app/clock';
import { signOut } from '../app/session';
import { failureOf } from '../app/submit';
import { Button, Chip } from '../design/controls';
import { Failure } from '../design/Failure';
import { Section } from '../design/Section';
import { toast } from '../design/toast';
import { t as page } from '../text';
import { formatAgo } from '../text/moments';
import { t } from '../text/security';

export const sessionsKey = ['sessions'];

/** Every browser that is signed in, newest first, and the ways to sign it out. */
export function Sessions() {
  const queries = useQueryClient();
  const list = useRef<HTMLUListElement>(null);
  const { data, error } = useQuery({
    queryKey: sessionsKey,
    queryFn: async ({ signal }) => (await call('get', '/api/sessions', { signal })).body.reverse(),
  });
  const ended = async (text: string) => {
    await queries.invalidateQueries({ queryKey: sessionsKey });
    list.current?.focus(); // the button that had it is gone
    toast({ text, lasts: 2500 });
  };
  const others = useMutation({
    mutationFn: () => call('delete', '/api/sessions'),
    onSuccess: () => ended(t.sessions.endedOthers),
  });
  return (
    <Section title={t.sessions.title} hint={t.sessions.hint}>
      <Failure>{failureOf(error ?? others.error)}</Failure>
      <ul ref={list} tabIndex={-1} aria-label={t.sessions.title} className="divide-y divide-line">
        {data?.map((session) => (
          <SessionItem key={session.id} session={session} onEnded={() => ended(t.sessions.ended)} />
        ))}
      </ul>
      {data && data.length > 1 && (
        <Button kind="danger" disabled={others.isPending} onClick={() => others.mutate()}>
          {t.sessions.others}
        </Button>
      )}
    </Section>
  );
}

function SessionItem({ session, onEnded }: { session: Schemas['Session']; onEnded: () => Promise<void> }) {
  const now = useNow();
  const client = session.client || t.sessions.unknown;
  const since = formatAgo(Math.min(Date.parse(session.created_at), now), now);
  const used = formatAgo(Math.min(Date.parse(session.last_used_at), now), now);
  const end = useMutation({
    mutationFn: () => call('delete', '/api/sessions/{id}', { path: { id: session.id } }),
    onSuccess: onEnded,
  });
  const leave = () => void signOut().catch(() => toast({ text: page.signingOut.failed, tone: 'late' }));
  return (
    <li className="py-2.5">
      <div className="flex items-center gap-3">
        <div className="min-w-0 grow">
          <p className="flex flex-wrap items-center gap-2">
            {client}
            {session.current && <Chip tone="accent">{t.sessions.here}</Chip>}
          </p>
          <p className="text-sm text-soft">
            {[t.sessions.since(since), ...(session.current ? [] : [t.sessions.used(used)])].join(' · ')}
          </p>
        </div>
        <Button
          kind="quiet"
          aria-label={session.current ? t.sessions.signOutHere : t.sessions.signOutOf(client, since)}
          disabled={end.isPending}
          onClick={() => (session.current ? leave() : end.mutate())}
        >
          {t.sessions.signOut}
        </Button>
      </div>
      <Failure>{failureOf(end.error)}</Failure>
    </li>
  );
}
