import { besideTitle, readPushMessage, type PushMessage } from '../notifications/message';
import { en } from '../text/en';
import { Choices, markRead, type Choice, type Outcome } from './choices';
import type { ToPage } from './messages';

declare const self: ServiceWorkerGlobalScope;

/** What TypeScript's library lacks: buttons of a notification, and Background Sync, which not every browser has. */
interface WithActions extends NotificationOptions {
  actions?: { action: string; title: string }[];
  renotify?: boolean;
}
interface WithSync {
  sync?: { register: (tag: string) => Promise<void> };
}

export const syncTag = 'docket-choices';
const snoozeMinutes = 10;

/** Shows what a push service delivered. Browsers want to see a notification for each message, so there is always one. */
export async function onPush(data: PushMessageData | null): Promise<void> {
  const about = readPushMessage(data?.text() ?? '');
  if (about) await remind(about);
  else await say(en.reminder.someTask, '/inbox');
}

async function remind(about: PushMessage): Promise<void> {
  const options: WithActions = {
    body: besideTitle(about.title, about.message),
    tag: about.task_id, // a newer reminder of a task takes the place of the older one
    renotify: true,
    icon: '/icon-192.png',
    badge: '/badge-96.png',
    data: about,
    actions: [
      { action: 'done', title: en.reminder.done },
      { action: 'snooze', title: en.reminder.snoozeShort },
    ],
  };
  await self.registration.showNotification(about.title, options);
}

/** A notification that opens a place in the app. */
async function say(title: string, to: string, body?: string): Promise<void> {
  await self.registration.showNotification(title, {
    icon: '/icon-192.png',
    badge: '/badge-96.png',
    tag: to,
    data: { to },
    ...(body && { body }),
  });
}

/** Does what was chosen on a notification, or opens what it is about. */
export async function onClick(notification: Notification, action: string): Promise<void> {
  notification.close();
  const about = notification.data as PushMessage | { to: string };
  if ('to' in about) return open(about.to);
  if (action === 'done') return choose({ kind: 'done', about, at: Date.now() });
  if (action === 'snooze') {
    const at = Date.now();
    const until = new Date(at + snoozeMinutes * 60_000).toISOString().slice(0, 19);
    return choose({ kind: 'snooze', about, until: `${until}Z`, at });
  }
  await Promise.all([open(`/all?task=${about.task_id}`), markRead(about)]);
}

async function open(to: string): Promise<void> {
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const page = windows.find((w) => w.focused) ?? windows[0];
  if (!page) {
    await self.clients.openWindow(to);
    return;
  }
  page.postMessage({ type: 'open', to } satisfies ToPage);
  await page.focus();
}

/** Keeps a choice on disk, then sends it: a lost network or a killed browser loses nothing. */
async function choose(choice: Choice): Promise<void> {
  const choices = await Choices.open();
  await choices.add(choice);
  choices.close();
  await flush();
}

/**
 * Sends the choices that wait. One at a time does so; what waits for the network is tried again when that is back, what waits
 * for its user when a page of theirs is connected.
 */
export async function flush(): Promise<void> {
  const waits = await self.navigator.locks.request('docket-choices', async () => {
    const choices = await Choices.open();
    try {
      return await choices.flush(() => Date.now(), tell);
    } finally {
      choices.close();
    }
  });
  if (waits) await (self.registration as WithSync).sync?.register(syncTag).catch(() => undefined);
}

/**
 * Tells the user what became of a choice. Where it is not known whose it was, whoever is signed in may be another: they learn
 * nothing of the task.
 */
async function tell({ about }: Choice, outcome: Outcome): Promise<void> {
  const known = about.user_id !== undefined;
  if (outcome.state === 'passed') await (known ? remind(about) : say(en.reminder.someTask, '/inbox'));
  if (outcome.state === 'refused' && known) await say(about.title, `/all?task=${about.task_id}`, outcome.why);
  if (outcome.state === 'away' && !outcome.other) await say(en.reminder.signedOut, '/');
}
