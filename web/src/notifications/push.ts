/**
 * Web Push in this browser: a subscription at the push service of its maker, which the server is told of. What happens
 * when a message comes is in src/sw.
 *
 * [Task]: T052
 */
import { call, Problem } from '../api/client';

/** Why there are no notifications here, or whether there are. */
export type PushState = 'unsupported' | 'insecure' | 'denied' | 'off' | 'on';

/** The id that the server gave this browser's subscription; absent where the user has not turned it on. */
const storage = 'docket.push';

/** What the browser says, which is asked each time: the user can change it in the browser's settings. */
export async function pushState(): Promise<PushState> {
  if (!isSecureContext) return 'insecure';
  if (!('serviceWorker' in navigator) || !('PushManager' in globalThis) || !('Notification' in globalThis))
    return 'unsupported';
  if (Notification.permission === 'denied') return 'denied';
  const subscription = await (await worker())?.pushManager.getSubscription();
  return subscription && Notification.permission === 'granted' && localStorage.getItem(storage)
    ? 'on'
    : 'off';
}

/** The browser has no way to its push service, or the service did not answer. */
export class NoPushService extends Error {
  override readonly name = 'NoPushService';
}

/** Asks for permission, subscribes and tells the server. Returns what it came to; fails where one of them does. */
export async function turnOnPush(): Promise<PushState> {
  if ((await Notification.requestPermission()) !== 'granted') return pushState();
  const subscription = await subscribe();
  const { body: me } = await call('get', '/api/me');
  if (!me.channels.push) await call('patch', '/api/me', { body: { channels: { push: true } } });
  await tellServer(subscription);
  return 'on';
}

/** Ends the subscription, at the server and here. Fails, changing nothing, if the server cannot be reached. */
export async function turnOffPush(): Promise<void> {
  const id = localStorage.getItem(storage);
  if (id) {
    try {
      await call('delete', '/api/push/subscriptions/{id}', { path: { id } });
    } catch (error) {
      // 404: it is gone already; 401: so is the session, or the account
      if (!(error instanceof Problem) || ![401, 404].includes(error.status)) throw error;
    }
    localStorage.removeItem(storage);
  }
  const subscription = await (await worker())?.pushManager.getSubscription();
  await subscription?.unsubscribe();
}

/**
 * At the page's start: where notifications are on, the server is told of the subscription as it is now. Browsers replace
 * one at times, and the worker that hears of it may have had no network.
 */
export async function renewPush(): Promise<void> {
  try {
    if (!localStorage.getItem(storage) || Notification.permission !== 'granted') return;
    await tellServer(await subscribe());
  } catch {
    // Not reachable now: the next start tries again, and the inbox has every reminder.
  }
}

/** Takes the notifications of a task, or all, out of the system's list. */
export async function closeNotifications(task?: string): Promise<void> {
  const shown = await (await worker())?.getNotifications(task === undefined ? {} : { tag: task });
  shown?.forEach((notification) => notification.close());
}

async function worker(): Promise<ServiceWorkerRegistration | undefined> {
  const container = (navigator as { serviceWorker?: ServiceWorkerContainer }).serviceWorker;
  return (await container?.getRegistration()) && container?.ready;
}

async function subscribe(): Promise<PushSubscription> {
  const manager = (await worker())?.pushManager;
  if (!manager) throw new NoPushService();
  const { key } = (await call('get', '/api/push/key')).body;
  const options = { userVisibleOnly: true, applicationServerKey: key };
  try {
    return await manager.subscribe(options);
  } catch (error) {
    // The server's key is another one than this browser is subscribed to: that subscription is of no use any more.
    if (!(error instanceof DOMException) || error.name !== 'InvalidStateError') throw new NoPushService();
    await (await manager.getSubscription())?.unsubscribe();
    return manager.subscribe(options);
  }
}

async function tellServer(subscription: PushSubscription): Promise<void> {
  const { endpoint, expirationTime, keys } = subscription.toJSON();
  const { p256dh, auth } = keys ?? {};
  if (!endpoint || !p256dh || !auth) throw new NoPushService();
  const body = {
    endpoint,
    expirationTime: expirationTime ?? null,
    keys: { p256dh, auth },
    name: browserName(),
  };
  const made = await call('put', '/api/push/subscriptions', { body });
  localStorage.setItem(storage, made.body.id);
}

/** What to call this browser in a list: `Firefox on Linux`. */
function browserName(): string {
  const agent = navigator.userAgent;
  const browser = /Edg|OPR|Firefox|Chrome|Safari/.exec(agent)?.[0] ?? 'Browser';
  const system = /Android|iPhone|iPad|Windows|Mac|CrOS|Linux/.exec(agent)?.[0] ?? '';
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', Mac: 'macOS', CrOS: 'ChromeOS' };
  return [browser, system]
    .map((n) => names[n] ?? n)
    .filter(Boolean)
    .join(' on ');
}
