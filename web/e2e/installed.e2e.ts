/**
 * The app as installed: it starts and opens its pages without a network, keeps nothing of the API, and offers a new version
 * without forcing it.
 *
 * [Task]: T006
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type Server as Proxy } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { complaintsOf, launch, signedIn } from './browser';
import { Server } from './server';

describe.skipIf(!inject('chromium'))('the installed app', () => {
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    server = await Server.start();
    await server.api('POST', '/api/tasks', { title: 'Kept without a network' });
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  /** Waits until the worker has kept the shell and answers for this page. */
  async function controlled(page: Page): Promise<void> {
    await page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated');
  }

  test('can be installed', async () => {
    const page = await signedIn(browser, server);
    const devtools = await page.context().newCDPSession(page);
    const { errors, data } = await devtools.send('Page.getAppManifest');
    expect(errors).toEqual([]);
    const manifest = JSON.parse(data ?? '') as { icons: { src: string; type: string }[] };
    for (const icon of manifest.icons) {
      const answer = await fetch(server.url + icon.src);
      expect(answer.headers.get('Content-Type')).toBe(icon.type);
    }
    expect((await fetch(`${server.url}/sw.js`)).headers.get('Cache-Control')).toBe('no-cache');
    await page.context().close();
  });

  test('starts and opens every page without a network; nothing of the API is kept', async () => {
    const page = await signedIn(browser, server);
    await page.goto(`${server.url}/all`);
    await page.getByText('Kept without a network').waitFor();
    await controlled(page);
    await vi.waitUntil(() => page.evaluate(keptTasks), { timeout: 10_000 });
    await page.context().setOffline(true);
    await page.reload();
    await page.getByText('Kept without a network').waitFor();
    await page.getByRole('link', { name: 'Inbox' }).first().click();
    await page.getByRole('heading', { name: 'Inbox' }).waitFor();
    const kept = await page.evaluate(async () => {
      const names = await caches.keys();
      const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
      return requests.flat().map((r) => new URL(r.url).pathname);
    });
    expect(kept).toContain('/index.html');
    expect(kept.filter((path) => /^\/(api|ws|version)/.test(path))).toEqual([]);
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('offers a new version; it takes over when the user says so', async () => {
    const released = await Release.before(server);
    const newLink = async () => (await server.newLink()).replace(server.url, released.url);
    const page = await signedIn(browser, { newLink });
    await controlled(page);
    const build = () => page.evaluate(() => document.querySelector('script[src]')?.getAttribute('src'));
    expect(await build()).toBe(released.entry);
    released.next = true;
    await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
    const offer = page.getByRole('status').filter({ hasText: 'A new version of docket is ready.' });
    await offer.waitFor();
    expect(await build()).toBe(released.entry); // not forced
    await Promise.all([page.waitForEvent('load'), offer.getByRole('button', { name: 'Reload' }).click()]);
    await page.getByRole('textbox', { name: 'Add a task' }).waitFor();
    expect(await build()).toBe(released.nextEntry);
    await page.context().close();
    await released.stop();
  });
});

/** Stands before a server as a deployment would: once `next` is set, the client is one with another entry file. */
class Release {
  readonly url: string;
  readonly entry: string;
  readonly nextEntry: string;
  next = false;
  readonly #proxy: Proxy;
  readonly #index: string;

  private constructor(server: Server, proxy: Proxy, index: string) {
    const entry = /src="(\/assets\/[^"]+\.js)"/.exec(index)?.[1] ?? '';
    this.url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    this.entry = entry;
    this.nextEntry = entry.replace('.js', '2.js');
    this.#proxy = proxy;
    this.#index = index;
    proxy.on('request', (incoming, outgoing) => {
      const path = (incoming.url ?? '/').replace(this.nextEntry, this.entry);
      const headers = { ...incoming.headers, 'accept-encoding': 'identity' };
      const forwarded = request(
        server.url + path,
        { method: incoming.method ?? 'GET', headers },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => {
            const body = Buffer.concat(chunks);
            const changed = this.next && !path.startsWith('/assets/') && !path.startsWith('/api/');
            delete answer.headers['content-length'];
            delete answer.headers.etag;
            outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
            outgoing.end(
              changed ? this.#renamed(body.toString('latin1')) : body,
              changed ? 'latin1' : 'utf8',
            );
          });
        },
      );
      incoming.pipe(forwarded);
    });
  }

  static async before(server: Server): Promise<Release> {
    const proxy = createServer().listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    return new Release(server, proxy, await (await fetch(`${server.url}/index.html`)).text());
  }

  /** The file with the other entry in it; in the worker, the sum of index.html is that of the changed one. */
  #renamed(text: string): string {
    const sum = createHash('sha256')
      .update(this.#index.replaceAll(this.entry, this.nextEntry))
      .digest('base64');
    return text
      .replaceAll(this.entry, this.nextEntry)
      .replace(/(index\.html["`]:["`]sha256-)[^"`]+/, `$1${sum}`)
      .replace(/(version:["`])[^"`]+/, '$1next');
  }

  async stop(): Promise<void> {
    this.#proxy.closeAllConnections();
    this.#proxy.close();
    await once(this.#proxy, 'close');
  }
}

/** Runs in the page: how many tasks the replica has on disk. */
async function keptTasks(): Promise<number> {
  const name = (await indexedDB.databases()).find((d) => /^docket-[0-9a-f]{8}-/.test(d.name ?? ''))?.name;
  if (!name) return 0;
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name);
    opening.onerror = () => reject(new Error(name));
    opening.onsuccess = () => {
      const counting = opening.result.transaction('tasks').objectStore('tasks').count();
      counting.onsuccess = () => {
        opening.result.close();
        resolve(counting.result);
      };
    };
  });
}
