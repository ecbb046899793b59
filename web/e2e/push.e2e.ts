/**
 * Web Push from the switch to the finished task: the real server encrypts, a push service that speaks RFC 8030 and 8291
 * decrypts, and Chromium hands the message to the service worker.
 *
 * [Task]: T052
 */
import type { Browser, CDPSession, Page, Worker } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { complaintsOf, enter, launch, signedIn } from './browser';
import { PushService, type Subscription } from './pushservice';
import { Server } from './server';

interface Entry {
  notification_id: string;
  task_id: string;
  read: boolean;
  channels: { channel: string; delivery_status: string }[];
}

describe.skipIf(!inject('chromium'))('push', () => {
  let server: Server;
  let service: PushService;
  let browser: Browser;
  let page: Page;
  let worker: Worker;
  let made: readonly Subscription[];
  let devtools: CDPSession;
  let received = 0;

  beforeAll(async () => {
    [server, service] = await Promise.all([Server.start('--allow-private-webhooks'), PushService.start()]);
    browser = await launch();
    page = await signedIn(browser, server);
    await page.context().grantPermissions(['notifications'], { origin: server.url });
    worker = page.context().serviceWorkers()[0] ?? (await page.context().waitForEvent('serviceworker'));
    made = await service.actFor(page);
    devtools = await page.context().newCDPSession(page);
    await page.goto(`${server.url}/inbox`);
  });
  afterAll(async () => {
    await browser.close();
    await Promise.all([server.stop(), service.stop()]);
  });

  /** Adds a task whose reminder comes at once, and takes its push message the whole way to the worker. */
  async function remind(title: string): Promise<string> {
    const task = (await (
      await server.api('POST', '/api/tasks', { title, due_date: '2026-01-15T09:00:00' })
    ).json()) as { id: string };
    const subscription = made.at(-1);
    if (!subscription) throw new Error('not subscribed');
    const payload = await service.message(subscription, received++);
    await deliver(payload);
    return task.id;
  }

  async function deliver(data: string): Promise<void> {
    const registered = new Promise<string>((resolve) => {
      devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        const ours = registrations.find((r) => r.scopeURL === `${server.url}/`);
        if (ours) resolve(ours.registrationId);
      });
    });
    await devtools.send('ServiceWorker.enable');
    const registrationId = await registered;
    await devtools.send('ServiceWorker.deliverPushMessage', {
      origin: `${server.url}/`,
      registrationId,
      data,
    });
    await devtools.send('ServiceWorker.disable');
  }

  /** The notification about a task, once the worker shows it. */
  function notification(tag: string) {
    return vi.waitUntil(
      () =>
        page.evaluate(async (tag) => {
          const worker = await navigator.serviceWorker.ready;
          const shown = (await worker.getNotifications({ tag }))[0];
          return shown && { title: shown.title, body: shown.body };
        }, tag),
      { timeout: 10_000, interval: 50 },
    );
  }

  /** Clicks a notification, or one of its buttons, in the place of the system, which headless Chromium does not have. */
  async function click(tag: string, action: string): Promise<void> {
    await worker.evaluate(
      async ({ tag, action }) => {
        const self = globalThis as unknown as { registration: ServiceWorkerRegistration };
        const [notification] = await self.registration.getNotifications({ tag });
        const event = Object.assign(new Event('notificationclick'), { notification, action });
        let work: Promise<unknown> = Promise.resolve();
        Object.assign(event, { waitUntil: (promise: Promise<unknown>) => (work = promise) });
        dispatchEvent(event);
        await work.catch((error: unknown) => {
          // Only a real click may bring a window to the front.
          if (!(error instanceof DOMException && error.name === 'InvalidAccessError')) throw error;
        });
      },
      { tag, action },
    );
  }

  async function entryOf(task: string): Promise<Entry> {
    const inbox = (await (await server.api('GET', '/api/notifications')).json()) as Entry[];
    const entry = inbox.find((e) => e.task_id === task);
    if (!entry) throw new Error('no entry in the inbox');
    return entry;
  }

  async function statusOf(task: string): Promise<string> {
    const answer = await server.api('GET', `/api/tasks/${task}`);
    return ((await answer.json()) as { status: string }).status;
  }

  test('is asked for only when the user turns it on', async () => {
    const asked = () =>
      page.evaluate(() => (globalThis as unknown as { permissionAsked: number }).permissionAsked);
    const push = page.getByRole('switch', { name: 'Notifications on this device' });
    expect(await asked()).toBe(0);
    await push.click();
    await vi.waitUntil(() => push.isChecked());
    expect(await asked()).toBe(1);
    const subscribed = (await (await server.api('GET', '/api/push/subscriptions')).json()) as object[];
    expect(subscribed).toMatchObject([{ name: 'Chrome on Linux', service: '127.0.0.1' }]);
  });

  test('a reminder reaches the worker; done on the notification completes the task and reads the entry', async () => {
    const task = await remind('Water “the” plants 🌱');
    expect(await notification(task)).toEqual({
      title: 'Water “the” plants 🌱',
      body: 'overdue: was due 15 January 2026, 09:00',
    });
    await click(task, 'done');
    expect(await (await server.api('GET', `/api/tasks/${task}`)).json()).toMatchObject({
      status: 'completed',
    });
    const entry = await entryOf(task);
    expect(entry.read).toBe(true);
    expect(entry.channels).toMatchObject([
      { channel: 'in_app', delivery_status: 'delivered' },
      { channel: 'push', delivery_status: 'delivered' },
    ]);
  });

  test('a snooze chosen without a network is sent when it is back', async () => {
    const task = await remind('Call the bank');
    await notification(task);
    await page.context().setOffline(true);
    await click(task, 'snooze');
    expect((await entryOf(task)).read).toBe(false);
    await page.context().setOffline(false);
    await vi.waitUntil(async () => (await entryOf(task)).read, { timeout: 10_000, interval: 50 });
  });

  test('what one chose when signed out waits while another is signed in, who learns nothing of it', async () => {
    const password = 'four tame otters sing';
    await server.newUser('ben', password);
    await notification(await remind('Renew the passport'));
    const task = await remind('See the doctor');
    await notification(task);
    await page.context().clearCookies();
    await click(task, 'done');
    expect((await notification('/')).title).toContain('Sign in to docket');

    const refused = page.context().waitForEvent('response', (answer) => {
      return answer.url().endsWith(`/api/tasks/${task}/complete`) && answer.status() === 401;
    });
    await page.goto(`${server.url}/signin`);
    await enter(page, 'ben', password);
    await refused;
    const titles = () =>
      page.evaluate(async () => {
        await navigator.locks.request('docket-choices', () => undefined); // the worker has told what became of it
        return (await (await navigator.serviceWorker.ready).getNotifications()).map((shown) => shown.title);
      });
    await expect.poll(titles).toEqual([]);
    expect(await statusOf(task)).toBe('pending');

    await page.goto(await server.newLink());
    await vi.waitUntil(async () => (await statusOf(task)) === 'completed', { timeout: 10_000, interval: 50 });
    const subscribed = async () =>
      ((await (await server.api('GET', '/api/push/subscriptions')).json()) as object[]).length;
    await vi.waitUntil(async () => (await subscribed()) === 1, { timeout: 10_000, interval: 50 });
  });

  test('a click opens the task', async () => {
    const task = await remind('Send the offer');
    await notification(task);
    await click(task, '');
    await page.waitForURL(`${server.url}/all?task=${task}`);
    await vi.waitUntil(async () => (await entryOf(task)).read, { timeout: 10_000, interval: 50 });
  });

  test('a reminder is shown in the page, too; what is done there takes the notification away', async () => {
    const connected = page.waitForEvent('websocket').then((socket) => socket.waitForEvent('framereceived'));
    await page.goto(`${server.url}/inbox`);
    await connected;
    const task = await remind('Feed the cat');
    await notification(task);
    const toast = page.getByRole('status').filter({ hasText: 'Feed the cat' });
    await toast.getByRole('button', { name: 'Done' }).click();
    await vi.waitUntil(async () => (await entryOf(task)).read, { timeout: 10_000, interval: 50 });
    await vi.waitUntil(() =>
      page.evaluate(
        async (tag) => (await (await navigator.serviceWorker.ready).getNotifications({ tag })).length === 0,
        task,
      ),
    );
    await vi.waitUntil(async () => (await statusOf(task)) === 'completed', { timeout: 10_000, interval: 50 });
  });

  test('a message that is not ours shows a notification all the same, as browsers ask', async () => {
    await deliver('not JSON');
    expect(await notification('/inbox')).toEqual({ title: 'A task is due', body: '' });
  });

  test('a subscription that the browser replaces is told to the server', async () => {
    const { key } = (await (await server.api('GET', '/api/push/key')).json()) as { key: string };
    const newSubscription = await service.subscribe(key);
    await worker.evaluate(async (newSubscription) => {
      const event = Object.assign(new Event('pushsubscriptionchange'), { newSubscription });
      let work: Promise<unknown> = Promise.resolve();
      Object.assign(event, { waitUntil: (promise: Promise<unknown>) => (work = promise) });
      dispatchEvent(event);
      await work;
    }, newSubscription);
    const subscribed = (await (await server.api('GET', '/api/push/subscriptions')).json()) as object[];
    expect(subscribed).toHaveLength(2);
  });

  test('turned off, the server forgets this browser', async () => {
    const push = page.getByRole('switch', { name: 'Notifications on this device' });
    await push.click();
    await vi.waitUntil(async () => !(await push.isChecked()));
    const subscribed = (await (await server.api('GET', '/api/push/subscriptions')).json()) as object[];
    expect(subscribed).toHaveLength(1); // the one that the test before made
    expect(complaintsOf(page)).toEqual([]);
  });
});
