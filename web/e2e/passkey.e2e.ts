/**
 * Passkeys in a real browser, with the authenticator that Chromium has for tests (CDP's virtual authenticator), against the real binary at localhost, the one address for which browsers have passkeys without TLS.
 *
 * [Task]: T006
 */
import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { violationsInEachLook } from './axe';
import { complaintsOf, enter, launch, stranger } from './browser';
import { Server } from './server';

const password = 'four tame otters sing';

/** Gives a page an authenticator whose user is there and has unlocked it. */
async function authenticator(page: Page): Promise<{ cdp: CDPSession; authenticatorId: string }> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { cdp, authenticatorId };
}

describe.skipIf(!inject('chromium'))('passkeys', { timeout: 120_000 }, () => {
  let server: Server;
  let browser: Browser;
  let url: string;

  beforeAll(async () => {
    server = await Server.start();
    url = server.url.replace('127.0.0.1', 'localhost');
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  test('one is added, signs in in another browser without a name, is renamed and removed', async () => {
    await server.newUser('grace', password);
    const page = await stranger(browser);
    const first = await authenticator(page);
    await page.goto(`${url}/security`);
    await enter(page, 'grace', password);
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByRole('textbox', { name: 'What to call it' }).fill('laptop');
    await page.getByLabel('Your password', { exact: true }).fill('not it');
    await page.keyboard.press('Enter');
    await page.getByText('is not your password').waitFor();
    await page.getByLabel('Your password', { exact: true }).fill(password);
    await page.keyboard.press('Enter');
    await page.getByRole('list', { name: 'Passkeys' }).getByText('laptop').waitFor();
    expect(await violationsInEachLook(page, 'security-passkeys')).toEqual([]);
    const { credentials } = await first.cdp.send('WebAuthn.getCredentials', first);
    const [kept] = credentials;
    if (!kept) throw new Error('the authenticator has made no passkey');
    expect(kept).toMatchObject({ isResidentCredential: true, rpId: 'localhost' });

    const elsewhere = await stranger(browser);
    const second = await authenticator(elsewhere);
    await elsewhere.goto(url);
    await elsewhere.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
    expect(await violationsInEachLook(elsewhere, 'signin-passkey')).toEqual([]);
    await second.cdp.send('WebAuthn.addCredential', {
      authenticatorId: second.authenticatorId,
      credential: kept,
    });
    await elsewhere.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await elsewhere.getByRole('textbox', { name: 'Add a task' }).waitFor();
    const me = await elsewhere.evaluate(
      async () => (await (await fetch('/api/me')).json()) as { name: string },
    );
    expect(me.name).toBe('grace');
    expect(complaintsOf(elsewhere)).toEqual([]);
    await elsewhere.context().close();

    // One that is there when the page opens is offered where the name is typed; this authenticator takes every offer.
    const filled = await stranger(browser);
    const other = await authenticator(filled);
    await other.cdp.send('WebAuthn.addCredential', {
      authenticatorId: other.authenticatorId,
      credential: { ...kept, signCount: 9 },
    });
    await filled.goto(url);
    await filled.getByRole('textbox', { name: 'Add a task' }).waitFor();
    expect(complaintsOf(filled)).toEqual([]);
    await filled.context().close();

    await page.getByRole('button', { name: 'Rename: laptop' }).click();
    await page.getByRole('textbox', { name: 'New name' }).fill('desk');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Remove: desk' }).click();
    await page.getByText('Passkey removed. Your device', { exact: false }).waitFor();
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();

    const late = await stranger(browser);
    const third = await authenticator(late);
    await late.goto(url);
    await late.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
    await third.cdp.send('WebAuthn.addCredential', {
      authenticatorId: third.authenticatorId,
      credential: { ...kept, signCount: 99 },
    });
    await late.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await late.getByText('Nobody here has this passkey any more').waitFor();
    await late.context().close();
  });

  test('at an address without a name, the page says where passkeys work', async () => {
    const page = await stranger(browser);
    await page.goto(`${server.url}/security`);
    await server.newUser('hugo', password);
    await enter(page, 'hugo', password);
    await page.getByText(`Passkeys work at ${url}`).waitFor();
    expect(await page.getByRole('button', { name: 'Add a passkey' }).count()).toBe(0);
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();

    const door = await stranger(browser);
    await door.goto(server.url);
    await door.getByRole('textbox', { name: 'Name' }).waitFor();
    await door.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    expect(await door.getByRole('button', { name: 'Sign in with a passkey' }).count()).toBe(0);
    await door.context().close();
  });

  test('one of a host that docket has no more is shown as such', async () => {
    await server.newUser('ines', password);
    const page = await stranger(browser);
    const shown = {
      id: 'x'.repeat(43),
      name: 'phone',
      host: 'tasks.example.org',
      synced: true,
      works: false,
      created_at: '2026-03-01T09:00:00.000Z',
      last_used_at: null,
    };
    await page.route('**/api/me/passkeys', (route) => route.fulfill({ json: [shown] }));
    await page.goto(`${url}/security`);
    await enter(page, 'ines', password);
    await page.getByText('does not sign in', { exact: true }).waitFor();
    await page.getByText('It was made at tasks.example.org, where docket is not any more.').waitFor();
    expect(await violationsInEachLook(page, 'security-passkey-elsewhere')).toEqual([]);
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });
});
