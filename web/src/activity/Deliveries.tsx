import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { call, type Schemas } from '../api/client';
import { useNow } from '../app/clock';
import { follow } from '../app/router';
import { useUser } from '../app/user';
import { Button } from '../design/controls';
import { openTask } from '../panel/address';
import { useReplica } from '../replica/store';
import { t } from '../text/account';
import { formatAgo, formatExact, formatMoment } from '../text/moments';

/** How often deliveries that are still tried are looked at, in milliseconds. */
const watch = 3_000;

/** What became of each reminder on each channel: "why was I not reminded?" has an answer. */
export function Deliveries() {
  const replica = useReplica();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['deliveries'],
    queryFn: ({ pageParam, signal }) =>
      call('get', '/api/notifications', { query: pageParam ? { cursor: pageParam } : {}, signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ body }) => body.some((item) => item.channels.some(isTried))) ? watch : false,
  });
  useEffect(() => replica.onReminder(() => void refetch()), [replica, refetch]);
  const items = data?.pages.flatMap(({ body }) => body) ?? [];
  if (error && !data) {
    return (
      <p role="alert" className="flex items-center gap-3 text-soft">
        {t.activity.failed} <Button onClick={() => void refetch()}>{t.activity.again}</Button>
      </p>
    );
  }
  return (
    <>
      <p className="mb-4 text-sm text-soft">{t.activity.deliveries.hint}</p>
      {data && items.length === 0 && <p className="text-soft">{t.activity.deliveries.none}</p>}
      <OnlyInbox />
      <ol aria-label={t.activity.tabs.reminders} className="divide-y divide-line">
        {items.map((item) => (
          <Item key={item.notification_id} item={item} />
        ))}
      </ol>
      {hasNextPage && (
        <Button className="mt-3" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {t.activity.deliveries.more}
        </Button>
      )}
    </>
  );
}

function isTried({ delivery_status }: Schemas['Delivery']): boolean {
  return delivery_status === 'pending';
}

function OnlyInbox() {
  const { channels } = useUser();
  if (channels.email || channels.webhook) return null;
  return (
    <p className="mb-2 text-sm text-soft">
      {t.activity.deliveries.only}{' '}
      <a href="/settings" onClick={follow} className="text-accent underline">
        {t.activity.deliveries.settings}
      </a>
    </p>
  );
}

function Item({ item }: { item: Schemas['InboxItem'] }) {
  const { time_zone: zone } = useUser();
  return (
    <li className="py-3">
      <div className="flex items-baseline gap-2">
        <button
          type="button"
          dir="auto"
          onClick={() => openTask(item.task_id)}
          className="min-w-0 grow text-left wrap-anywhere hover:underline"
        >
          {item.message}
        </button>
        <time dateTime={item.scheduled_time} className="shrink-0 text-xs text-soft">
          {formatMoment(Date.parse(item.scheduled_time), zone)}
        </time>
      </div>
      <ul className="mt-1 space-y-1">
        {item.channels.map((delivery) => (
          <Channel key={delivery.notification_id} delivery={delivery} />
        ))}
      </ul>
    </li>
  );
}

const tones = { delivered: 'text-good', pending: 'text-soft', failed: 'text-late' };

function Channel({ delivery }: { delivery: Schemas['Delivery'] }) {
  const { time_zone: zone } = useUser();
  const now = useNow();
  const texts = t.activity.deliveries;
  return (
    <li className="text-sm">
      <details>
        <summary className="cursor-pointer">
          {texts.channel[delivery.channel] ?? delivery.channel}{' '}
          <span className={tones[delivery.delivery_status]}>{texts.status[delivery.delivery_status]}</span>
        </summary>
        <ol className="mt-1 ml-4 space-y-1 text-soft">
          {delivery.attempts.length === 0 && <li>{texts.noAttempt}</li>}
          {delivery.attempts.map((attempt) => (
            <li key={attempt.at} className="wrap-anywhere">
              <time dateTime={attempt.at}>{formatExact(Date.parse(attempt.at), zone)}</time>:{' '}
              {texts.outcome[attempt.outcome]}
              {attempt.answer && <> · {attempt.answer}</>}
              {attempt.next && <> · {texts.next(formatAgo(Date.parse(attempt.next), now))}</>}
            </li>
          ))}
        </ol>
      </details>
    </li>
  );
}
