import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Page } from 'playwright-core';

const binary = resolve(import.meta.dirname, '../../bin/pushservice');

/** A subscription as a browser writes it. */
export interface Subscription {
  endpoint: string;
  expirationTime: null;
  keys: { p256dh: string; auth: string };
}

/** The stand-in for browsers' push services (test/pushservice): it verifies and decrypts what is sent, by the RFCs. */
export class PushService {
  readonly #process: ChildProcess;
  readonly #url: string;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.#url = url;
  }

  static async start(): Promise<PushService> {
    const child = spawn(binary, [], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) {
      child.stdout.resume();
      return new PushService(child, line.trim());
    }
    throw new Error(`${binary} ended without saying where it listens`);
  }

  async subscribe(applicationServerKey: string): Promise<Subscription> {
    const body = JSON.stringify({ applicationServerKey });
    const answer = await fetch(`${this.#url}/subscriptions`, { method: 'POST', body });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()) as Subscription;
  }

  /** Waits for the message after the first `after`, decrypted. */
  async message(subscription: Subscription, after: number): Promise<string> {
    const id = subscription.endpoint.slice(subscription.endpoint.lastIndexOf('/') + 1);
    const answer = await fetch(`${this.#url}/subscriptions/${id}/messages?after=${after}`);
    const messages = (await answer.json()) as { payload: string }[];
    const payload = messages[after]?.payload;
    if (payload === undefined) throw new Error(`message ${after + 1} did not come`);
    return payload;
  }

  /**
   * Stands in for the browser's own push service, which a test cannot reach: subscribing asks this one. Returns the
   * subscriptions that the page has made.
   */
  async actFor(page: Page): Promise<readonly Subscription[]> {
    const made: Subscription[] = [];
    await page.exposeFunction('subscribeAtStandIn', async (key: string) => {
      const subscription = await this.subscribe(key);
      made.push(subscription);
      return subscription;
    });
    await page.addInitScript(standIn);
    return made;
  }

  async stop(): Promise<void> {
    this.#process.kill();
    await once(this.#process, 'exit');
  }
}

/** Runs in the page. The subscription is kept as the browser would keep it, over reloads. */
function standIn(): void {
  const storage = 'stand-in.subscription';
  const page = globalThis as unknown as {
    subscribeAtStandIn: (key: string) => Promise<Subscription>;
    permissionAsked: number;
  };
  const kept = (): PushSubscription | null => {
    const json = JSON.parse(localStorage.getItem(storage) ?? 'null') as Subscription | null;
    return json && ({ ...json, toJSON: () => json, unsubscribe } as unknown as PushSubscription);
  };
  const unsubscribe = () => {
    localStorage.removeItem(storage);
    return Promise.resolve(true);
  };
  PushManager.prototype.getSubscription = () => Promise.resolve(kept());
  PushManager.prototype.subscribe = async (options) => {
    if (!kept()) {
      const made = await page.subscribeAtStandIn(options?.applicationServerKey as string);
      localStorage.setItem(storage, JSON.stringify(made));
    }
    return kept() as PushSubscription;
  };
  page.permissionAsked = 0;
  const ask = Notification.requestPermission.bind(Notification);
  Notification.requestPermission = () => {
    page.permissionAsked++;
    return ask();
  };
}
