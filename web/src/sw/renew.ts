/** The event as the Push API has it; TypeScript's library does not know it yet. */
export interface SubscriptionChange extends ExtendableEvent {
  newSubscription?: PushSubscription | null;
  oldSubscription?: PushSubscription | null;
}

declare const self: ServiceWorkerGlobalScope;

/**
 * The browser has replaced or dropped its subscription: subscribes anew and tells the server. Where that fails, the page
 * does it at its next start.
 */
export async function renew({ newSubscription, oldSubscription }: SubscriptionChange): Promise<void> {
  const subscription =
    newSubscription ??
    (await self.registration.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: oldSubscription?.options.applicationServerKey ?? (await key()),
    }));
  await fetch('/api/push/subscriptions', {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(subscription),
  });
}

async function key(): Promise<string> {
  return ((await (await fetch('/api/push/key')).json()) as { key: string }).key;
}
