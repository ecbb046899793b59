/**
 * Signing in by way of an OpenID provider, in a real browser, against the real binary and a real provider.
 *
 * [Task]: T006
 */
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { violationsInEachLook } from './axe';
import { complaintsOf, launch, stranger } from './browser';
import { OpenIDProvider } from './openidprovider';
import { Server } from './server';

const password = 'four tame otters sing';

/** A port that is free: the provider has to know docket's address before docket runs. */
async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}

describe.skipIf(!inject('chromium'))('signing in by a provider', { timeout: 120_000 }, () => {
  let server: Server;
  let provider: OpenIDProvider;
  let browser: Browser;

  beforeAll(async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const url = `http://${address}`;
    const person = { subject: 'grace', name: 'Grace Hopper', email: 'grace@example.org' };
    provider = await OpenIDProvider.start(`${url}/signin/callback/work`, person);
    const settings = [{ id: 'work', name: 'the company', issuer: provider.issuer, client_id: 'docket' }];
    process.env.DOCKET_SECRET_OIDC_WORK = "the client's secret";
    server = await Server.start(
      ...['--listen', address, '--public-url', url, '--sign-up', 'open', '--oidc', JSON.stringify(settings)],
    );
    browser = await launch();
  });
  afterAll(async () => {
    delete process.env.DOCKET_SECRET_OIDC_WORK;
    await browser.close();
    await server.stop();
    await provider.stop();
  });

  /** Answers the provider's question who it is. */
  async function isGrace(page: Page): Promise<void> {
    await page.getByRole('textbox', { name: 'User' }).fill('grace');
    await page.keyboard.press('Enter');
  }

  test('a user connects an account, signs in by it, and disconnects it', async () => {
    await server.newUser('hugo', password);
    const page = await stranger(browser);
    await page.goto(`${server.url}/security`);
    await page.getByRole('textbox', { name: 'Name' }).fill('hugo');
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Connect the company' }).click();
    await isGrace(page);
    await page.getByText('grace@example.org').waitFor();
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/security'); // and no code in the history
    expect(await violationsInEachLook(page, 'security-connected')).toEqual([]);

    const elsewhere = await stranger(browser);
    await elsewhere.goto(server.url);
    await elsewhere.getByRole('button', { name: 'Continue with the company' }).waitFor();
    expect(await violationsInEachLook(elsewhere, 'signin-providers')).toEqual([]);
    await elsewhere.getByRole('button', { name: 'Continue with the company' }).click();
    await isGrace(elsewhere);
    await elsewhere.getByRole('textbox', { name: 'Add a task' }).waitFor();
    const me = await elsewhere.evaluate(
      async () => (await (await fetch('/api/me')).json()) as { name: string },
    );
    expect(me.name).toBe('hugo');
    expect(complaintsOf(elsewhere)).toEqual([]);
    await elsewhere.context().close();

    await page.getByRole('button', { name: 'Disconnect: the company, grace@example.org' }).click();
    await page.getByText('None yet.', { exact: true }).waitFor();
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('what comes back without having been begun here is refused, and the way on shown', async () => {
    const page = await stranger(browser);
    await page.goto(`${server.url}/signin/callback/work?code=stolen&state=invented`);
    await page.getByText('This was not begun in this browser').waitFor();
    expect(new URL(page.url()).search).toBe('');
    expect(await violationsInEachLook(page, 'signin-not-begun')).toEqual([]);
    await page.getByRole('link', { name: 'Go on to docket' }).click();
    await page.getByRole('textbox', { name: 'Name' }).waitFor();
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('while the provider is away, the password still signs in', async () => {
    await provider.stop();
    const page = await stranger(browser);
    await page.goto(server.url);
    await page.getByRole('button', { name: 'Continue with the company' }).waitFor();
    await page.getByRole('textbox', { name: 'Name' }).fill('hugo');
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Add a task' }).waitFor();
    await page.context().close();
  });
});
