import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useNow } from '../app/clock';
import { follow } from '../app/router';
import { useUser } from '../app/user';
import { Button, IconButton } from '../design/controls';
import { Icon } from '../design/Icon';
import { Menu } from '../design/menu';
import { Page } from '../app/Page';
import { useReplica, useSnapshot } from '../replica/store';
import { formatDue, t } from '../text';
import { markAllRead, markRead, useInbox, type InboxItem } from './inbox';
import { besideTitle } from './message';
import { PushSwitch } from './PushSwitch';
import { snoozeChoices } from './snooze';
import { snoozeAndTell } from './useReminderToasts';

/** Every reminder that came, newest first, with what became of it on each channel. */
export default function Inbox() {
  const inbox = useInbox();
  const queries = useQueryClient();
  const entries = inbox.data?.pages.flatMap((page) => page.body) ?? [];
  const unread = entries.some((entry) => !entry.read);
  return (
    <Page
      title={t.inbox.title}
      actions={
        unread && (
          <Button kind="quiet" onClick={() => void markAllRead(queries).catch(() => undefined)}>
            {t.inbox.readAll}
          </Button>
        )
      }
    >
      <div className="mb-4 rounded-md border border-line bg-surface px-4 py-1">
        <PushSwitch />
      </div>
      {inbox.isPending && (
        <p role="status" className="text-soft">
          {t.inbox.loading}
        </p>
      )}
      {inbox.isError && (
        <p role="alert" className="flex flex-wrap items-center gap-3 text-late">
          {t.inbox.failed}
          <Button onClick={() => void inbox.refetch()}>{t.inbox.again}</Button>
        </p>
      )}
      {inbox.isSuccess && entries.length === 0 && <Nothing />}
      <ul>
        {entries.map((entry) => (
          <Entry key={entry.notification_id} entry={entry} queries={queries} />
        ))}
      </ul>
      {inbox.hasNextPage && (
        <Button
          className="mt-4"
          disabled={inbox.isFetchingNextPage}
          onClick={() => void inbox.fetchNextPage()}
        >
          {t.inbox.more}
        </Button>
      )}
    </Page>
  );
}

function Nothing() {
  const [title, hint] = t.inbox.empty;
  return (
    <div className="mx-auto max-w-xs animate-appear pt-[14vh] text-center">
      <Icon name="bell" className="mx-auto mb-4 size-10 text-edge" />
      <p className="text-lg font-medium">{title}</p>
      <p className="mt-1 text-soft">{hint}</p>
    </div>
  );
}

function Entry({ entry, queries }: { entry: InboxItem; queries: QueryClient }) {
  const replica = useReplica();
  const task = useSnapshot().tasks.get(entry.task_id);
  const now = useNow();
  const { time_zone: zone } = useUser();
  const { notification_id: id, task_id, read } = entry;
  const markThis = () => void markRead(queries, [id]).catch(() => undefined);
  const open = task?.status === 'pending';
  return (
    <li className="flex items-start gap-3 border-b border-line py-2.5">
      <span
        className={`mt-2 size-2 shrink-0 rounded-full ${read ? '' : 'bg-accent forced-colors:bg-[Highlight]'}`}
      >
        {!read && <span className="sr-only">{t.inbox.new}</span>}
      </span>
      <div className="min-w-0 grow">
        <a
          href={`/all?task=${task_id}`}
          dir="auto"
          onClick={(event) => {
            if (!read) markThis();
            follow(event);
          }}
          className={`inline-block min-h-6 wrap-anywhere hover:underline ${read ? '' : 'font-medium'} ${task && !open ? 'text-soft line-through' : ''}`}
        >
          {task?.title ?? entry.message}
        </a>
        <p className="text-xs text-soft">
          {formatDue(entry.scheduled_time, now, zone, true)}
          {task && ` · ${besideTitle(task.title, entry.message)}`}
        </p>
        <Delivered entry={entry} now={now} zone={zone} />
      </div>
      {open && (
        <div className="flex shrink-0 items-center">
          <IconButton
            icon="check"
            label={t.task.complete(task.title)}
            onClick={() => {
              void replica.change({ kind: 'complete', id: task_id });
              if (!read) markThis();
            }}
          />
          <Menu
            icon="clock"
            label={t.reminder.snooze}
            content={snoozeChoices(now, zone).map(({ label, until }) => ({
              label,
              onSelect: () => snoozeAndTell(queries, id, until, zone),
            }))}
          />
        </div>
      )}
    </li>
  );
}

/** What became of the reminder on each channel: “why was I not reminded?” has its answer here. */
function Delivered({ entry, now, zone }: { entry: InboxItem; now: number; zone: string }) {
  if (entry.channels.every((c) => c.channel === 'in_app')) return null;
  return (
    <details className="mt-1 text-xs text-soft">
      <summary className="w-fit cursor-pointer py-1">{t.inbox.delivery}</summary>
      <ul className="space-y-0.5">
        {entry.channels.map((c) => {
          const last = c.attempts.at(-1);
          return (
            <li key={c.notification_id} className={c.delivery_status === 'failed' ? 'text-late' : ''}>
              {t.inbox.channels[c.channel] ?? c.channel}: {t.inbox.outcomes[c.delivery_status]}
              {last && ` · ${formatDue(last.at, now, zone, true)} · ${last.answer}`}
            </li>
          );
        })}
      </ul>
    </details>
  );
}
