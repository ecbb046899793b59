import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call, type Schemas } from '../api/client';
import { useNow } from '../app/clock';
import { failureOf } from '../app/submit';
import { useUser } from '../app/user';
import { Button } from '../design/controls';
import { Failure } from '../design/Failure';
import { Section } from '../design/Section';
import { formatAgo, formatExact, formatMoment } from '../text/moments';
import { t } from '../text/security';

export const accessKey = ['access'];

/** How many show at first. */
const few = 8;

/** Who got in, failed to, and changed what lets one in, newest first. */
export function AccessLog() {
  const [whole, setWhole] = useState(false);
  const { data, error } = useQuery({
    queryKey: accessKey,
    queryFn: async ({ signal }) => (await call('get', '/api/me/access', { signal })).body,
  });
  const shown = whole ? data : data?.slice(0, few);
  return (
    <Section title={t.access.title} hint={t.access.hint}>
      <Failure>{failureOf(error)}</Failure>
      {data?.length === 0 && <p className="text-sm text-soft">{t.access.none}</p>}
      <ol aria-label={t.access.title} className="divide-y divide-line">
        {shown?.map((one) => (
          <AccessItem key={`${one.at} ${one.kind} ${one.with}`} access={one} />
        ))}
      </ol>
      {data && shown && shown.length < data.length && (
        <Button onClick={() => setWhole(true)}>{t.access.all(data.length)}</Button>
      )}
    </Section>
  );
}

function AccessItem({ access }: { access: Schemas['Access'] }) {
  const { time_zone } = useUser();
  const now = useNow();
  const at = Date.parse(access.at);
  const failed = access.kind === 'sign_in_failed';
  const from = access.with || (failed || access.kind === 'signed_in' ? t.access.unknown : '');
  return (
    <li className="flex flex-wrap items-baseline justify-between gap-x-4 py-2.5">
      <p className="min-w-0 wrap-anywhere">
        <span className={failed ? 'text-late' : ''}>
          {failed && access.times > 1 ? t.access.failures(access.times) : t.access.kinds[access.kind]}
        </span>
        {from && (
          <span className="text-sm text-soft">
            {' · '}
            <bdi>{from}</bdi>
          </span>
        )}
      </p>
      <time dateTime={access.at} title={formatExact(at, time_zone)} className="text-sm text-soft">
        {`${formatMoment(at, time_zone)} · ${formatAgo(Math.min(at, now), now)}`}
      </time>
    </li>
  );
}
