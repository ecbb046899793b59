/**
 * The service worker: the shell without a network, notifications without a page. It is built into one file of fixed
 * name, /sw.js, by vite.sw.config.ts.
 *
 * [Task]: T052
 */
import type { ToWorker } from './messages';
import { flush, onClick, onPush, syncTag } from './notify';
import { renew, type SubscriptionChange } from './renew';
import { activate, answer, has, install } from './shell';

declare const self: ServiceWorkerGlobalScope;

self.addEventListener('install', (event) => event.waitUntil(install()));

self.addEventListener('activate', (event) => event.waitUntil(activate().then(() => self.clients.claim())));

self.addEventListener('fetch', (event) => {
  const answered = answer(event);
  if (answered) event.respondWith(answered);
});

self.addEventListener('message', (event) => {
  const message = event.data as ToWorker;
  if (message.type === 'activate') event.waitUntil(self.skipWaiting());
  if (message.type === 'has') event.ports[0]?.postMessage(has(message.path));
  if (message.type === 'flush') event.waitUntil(flush());
});

self.addEventListener('push', (event) => event.waitUntil(onPush(event.data)));

self.addEventListener('notificationclick', (event) =>
  event.waitUntil(onClick(event.notification, event.action)),
);

self.addEventListener('pushsubscriptionchange', (event) => {
  const change = event as SubscriptionChange;
  change.waitUntil(renew(change));
});

self.addEventListener('sync', (event) => {
  const sync = event as ExtendableEvent & { tag: string };
  if (sync.tag === syncTag) sync.waitUntil(flush());
});
