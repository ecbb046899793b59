/**
 * The page's side of the service worker: starts it, follows where a clicked notification leads, and learns of a new
 * version. A new version is offered; it takes over when the user says so, or when no tab is left of the old one.
 *
 * [Task]: T052
 */
import { useEffect, useSyncExternalStore } from 'react';
import { toast } from '../design/toast';
import { useSnapshot } from '../replica/store';
import type { ToPage, ToWorker } from '../sw/messages';
import { t } from '../text';
import { navigate } from './router';
import { useSession } from './session';

/** The file that this page was started from: which build it is. */
const ownFile = new URL(import.meta.url).pathname;
/** How often to ask for a new version at most, in milliseconds. */
const askEvery = 60_000;

let takeOver: (() => void) | undefined;
let accepted = false;
let tried = false;
let asked = Number.NEGATIVE_INFINITY;
const subscribers = new Set<() => void>();

function container(): ServiceWorkerContainer | undefined {
  return (navigator as { serviceWorker?: ServiceWorkerContainer }).serviceWorker; // absent without HTTPS
}

/** Starts the worker once the page has what it needs first. */
export function startWorker(): void {
  const workers = container();
  if (!workers || !import.meta.env.PROD) return;
  workers.addEventListener('message', ({ data }: MessageEvent<ToPage>) => navigate(data.to));
  workers.addEventListener('controllerchange', () => {
    if (accepted) location.reload();
    else if (workers.controller) void consider(workers.controller, () => location.reload()); // accepted in another tab
  });
  const start = () =>
    void register(workers)
      .catch(() => undefined) // without a worker the page works, online
      .finally(() => (tried = true));
  if (document.readyState === 'complete') start();
  else addEventListener('load', start, { once: true });
}

async function register(workers: ServiceWorkerContainer): Promise<void> {
  const registration = await workers.register('/sw.js', { updateViaCache: 'none' });
  const activate = (worker: ServiceWorker) => () => tell(worker, { type: 'activate' });
  const offer = (worker: ServiceWorker) => {
    const accept = () => {
      accepted = true;
      activate(worker)();
    };
    void consider(worker, accept, activate(worker));
  };
  if (registration.waiting) offer(registration.waiting);
  registration.addEventListener('updatefound', () => {
    const worker = registration.installing;
    worker?.addEventListener('statechange', () => {
      if (worker.state === 'installed' && workers.controller) offer(worker);
    });
  });
}

function tell(worker: ServiceWorker, message: ToWorker): void {
  worker.postMessage(message);
}

/** Offers to go on with the worker's build, unless the page is of it already. */
async function consider(worker: ServiceWorker, accept: () => void, same?: () => void): Promise<void> {
  const channel = new MessageChannel();
  const answer = new Promise<boolean>((resolve) => {
    channel.port1.onmessage = ({ data }: MessageEvent<boolean>) => resolve(data);
  });
  worker.postMessage({ type: 'has', path: ownFile } satisfies ToWorker, [channel.port2]);
  if (await answer) {
    same?.();
    return;
  }
  takeOver = accept;
  subscribers.forEach((hear) => hear());
}

/** Asks whether the server has a newer version. */
export function askForUpdate(): void {
  if (performance.now() - asked < askEvery) return;
  asked = performance.now();
  const workers = container();
  if (!workers || !import.meta.env.PROD) return;
  void workers
    .getRegistration()
    .then(async (registration) => {
      if (registration) await registration.update();
      else if (tried) await register(workers); // the first installation failed: the browser forgets that worker
    })
    .catch(() => undefined); // not reachable: asked again with the next connection
}

function subscribe(hear: () => void): () => void {
  subscribers.add(hear);
  return () => subscribers.delete(hear);
}

/** Offers a new version as long as there is one and nothing waits to be sent. */
export function useUpdateOffer(): void {
  const accept = useSyncExternalStore(subscribe, () => takeOver);
  const { live, waiting } = useSnapshot().status;
  const sent = waiting === 0;
  useEffect(() => {
    if (live === 'open') askForUpdate(); // a server that came back may be a new one
  }, [live]);
  useEffect(() => {
    if (accept && sent)
      return toast({ text: t.update.ready, lasts: 0, action: { label: t.update.reload, run: accept } });
    return undefined;
  }, [accept, sent]);
}

/** Has the worker send what was chosen on notifications and waits, each time that the server can be reached by its user. */
export function useSentChoices(): void {
  const reached = useSnapshot().status.live === 'open';
  const known = useSession().state === 'signed-in';
  useEffect(() => {
    if (!reached || !known) return;
    void container()?.ready.then(({ active }) => active && tell(active, { type: 'flush' }));
  }, [reached, known]);
}
