import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Problem } from '../api/client';
import { navigate } from '../app/router';
import { useUser } from '../app/user';
import { toast } from '../design/toast';
import { useReplica, type Replica } from '../replica/store';
import type { ReminderDue } from '../replica/types';
import { formatDue, t } from '../text';
import { markRead, snooze } from './inbox';
import { closeNotifications } from './push';
import { snoozeChoices } from './snooze';

/**
 * Shows each reminder whose moment comes while the page is open, until it is dealt with: done, snoozed, opened or
 * closed. That takes it away in every other tab, too, and its notification from the system's list.
 */
export function useReminderToasts(): void {
  const replica = useReplica();
  const queries = useQueryClient();
  const { time_zone: zone } = useUser();
  useEffect(() => {
    const shown = new Map<string, () => void>();
    const others = new BroadcastChannel('docket-reminders');
    const drop = (task: string) => {
      shown.get(task)?.();
      shown.delete(task);
    };
    const dealtWith = (reminder: ReminderDue) => {
      shown.delete(reminder.task_id);
      others.postMessage(reminder.task_id);
      void closeNotifications(reminder.task_id);
    };
    others.onmessage = ({ data }: MessageEvent<string>) => drop(data);
    const ignore = replica.onReminder((reminder) => {
      drop(reminder.task_id); // a newer reminder of a task takes the place of the older one
      shown.set(reminder.task_id, show(reminder, { replica, queries, zone, dealtWith }));
    });
    return () => {
      ignore();
      others.close();
      shown.forEach((take) => take());
    };
  }, [replica, queries, zone]);
}

interface Dealing {
  replica: Replica;
  queries: QueryClient;
  zone: string;
  dealtWith: (reminder: ReminderDue) => void;
}

function show(reminder: ReminderDue, { replica, queries, zone, dealtWith }: Dealing): () => void {
  const { notification_id: id, task_id: task } = reminder;
  const read = () => {
    dealtWith(reminder);
    markRead(queries, [id]).catch(() => undefined); // it stays unread in the inbox, where it shows
  };
  const later = (until: number) => {
    dealtWith(reminder);
    snoozeAndTell(queries, id, until, zone);
  };
  return toast({
    text: reminder.message,
    lasts: 0,
    action: {
      label: t.reminder.done,
      run: () => void replica.change({ kind: 'complete', id: task }).then(read),
    },
    more: [
      {
        label: t.reminder.open,
        run: () => {
          read();
          navigate(`/all?task=${task}`);
        },
      },
    ],
    choices: {
      label: t.reminder.snooze,
      actions: snoozeChoices(Date.now(), zone).map(({ label, until }) => ({
        label,
        run: () => later(until),
      })),
    },
    onClose: read,
  });
}

/** Snoozes an entry of the inbox and says until when, or why not. */
export function snoozeAndTell(queries: QueryClient, id: string, until: number, zone: string): void {
  snooze(queries, id, until).then(
    () =>
      toast({
        text: t.reminder.snoozedUntil(formatDue(new Date(until).toISOString(), Date.now(), zone, true)),
      }),
    (error: unknown) =>
      toast({
        text: t.reminder.snoozeFailed(error instanceof Problem ? error.message : t.unreachable),
        tone: 'late',
        lasts: 0,
      }),
  );
}
