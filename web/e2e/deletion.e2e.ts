/**
 * Deleting one's account, in a real browser against the real binary.
 *
 * [Task]: T006
 */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { describe, expect, inject, test } from 'vitest';
import { codeOf } from './authenticator';
import { violationsInEachLook } from './axe';
import { complaintsOf, enter, entered, openSite, signedIn } from './browser';
import { Network } from './network';

const password = 'four tame otters sing';

describe.skipIf(!inject('chromium'))('deleting the account', { timeout: 120_000 }, () => {
  const site = openSite();

  /** The databases of the page, which are named after their users. */
  const databasesOf = (page: Page) =>
    page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));

  test('takes the name and the password, offers the export, and leaves nothing in the browser', async () => {
    const asPia = await site.server.newUser('pia', password);
    const { id } = (await (await asPia('GET', '/api/me')).json()) as { id: string };
    await asPia('POST', '/api/tasks', { title: 'Plan the surprise' });
    const elsewhere = await entered(site, 'pia', password);
    await elsewhere.getByRole('textbox', { name: 'Add a task' }).waitFor();
    const page = await entered(site, 'pia', password, '/settings');
    await expect.poll(() => databasesOf(page)).toContain(`docket-${id}`);
    await page.getByRole('button', { name: 'Delete the account…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete the account?' });
    await dialog.waitFor();
    expect(await violationsInEachLook(page, 'deletion')).toEqual([]);
    const download = page.waitForEvent('download');
    await dialog.getByRole('link', { name: 'Export everything' }).click();
    expect(await readFile(await (await download).path(), 'utf8')).toContain('Plan the surprise');

    const go = dialog.getByRole('button', { name: 'Delete it for good' });
    const secret = dialog.getByLabel('Your password', { exact: true });
    await secret.fill('three tame otters');
    await go.click();
    await dialog.getByText('This is not your name').waitFor();
    await dialog.getByLabel('Type your name').fill('pia');
    await go.click();
    await dialog.getByText('is not your password').waitFor();
    expect((await asPia('GET', '/api/me')).status).toBe(200);
    await secret.fill(password);
    await go.click();
    await page.getByText('Your account and everything in it is deleted.').waitFor();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await expect.poll(() => databasesOf(page)).not.toContain(`docket-${id}`);
    expect(await page.content()).not.toContain('pia');
    await elsewhere.getByText('You have been signed out.').waitFor();
    expect((await asPia('GET', '/api/me')).status).toBe(401);
    await enter(page, 'pia', password);
    await page.getByText('There is no user of that name with that password.').waitFor();
    expect([page, elsewhere].flatMap(complaintsOf)).toEqual([]);
    for (const one of [page, elsewhere]) await one.context().close();
  });

  test('with a second factor takes a code as well', async () => {
    const asRosa = await site.server.newUser('rosa', password);
    const page = await entered(site, 'rosa', password, '/settings');
    await page.getByRole('button', { name: 'Delete the account…' }).click();
    const made = (await (await asRosa('POST', '/api/me/second-factor', { password })).json()) as {
      id: string;
      secret: string;
    };
    await asRosa('POST', `/api/me/second-factor/${made.id}/confirm`, { code: codeOf(made.secret) });
    const dialog = page.getByRole('dialog', { name: 'Delete the account?' });
    await dialog.getByLabel('Type your name').fill('rosa');
    await dialog.getByLabel('Your password', { exact: true }).fill(password);
    await page.keyboard.press('Enter');
    await dialog.getByText('Your account has a second step').waitFor();
    const code = dialog.getByLabel('Code of the authenticator app');
    await code.fill('000000');
    await page.keyboard.press('Enter');
    await dialog.getByText('This is not the code').waitFor();
    expect((await asRosa('GET', '/api/me')).status).toBe(200);
    await code.fill(codeOf(made.secret, 1)); // that of now has confirmed
    await page.keyboard.press('Enter');
    await page.getByText('Your account and everything in it is deleted.').waitFor();
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('is over also where the network breaks right after it', async () => {
    const asTheo = await site.server.newUser('theo', password);
    const { id } = (await (await asTheo('GET', '/api/me')).json()) as { id: string };
    const page = await entered(site, 'theo', password, '/settings');
    await expect.poll(() => databasesOf(page)).toContain(`docket-${id}`);
    const network = await Network.of(page.context());
    network.answer((request) => (request.url().endsWith('/api/session') ? 'silence' : undefined));
    await page.getByRole('button', { name: 'Delete the account…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete the account?' });
    await dialog.getByLabel('Type your name').fill('theo');
    await dialog.getByLabel('Your password', { exact: true }).fill(password);
    const unheard = page.waitForEvent('requestfailed', (request) => request.method() === 'DELETE');
    await page.keyboard.press('Enter');
    await unheard;
    await page.getByText('Your account and everything in it is deleted.').waitFor();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await expect.poll(() => databasesOf(page)).not.toContain(`docket-${id}`);
    expect((await asTheo('GET', '/api/me')).status).toBe(401);
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  /** Fills the dialog in and sends it. */
  const askFor = async (page: Page, name: string) => {
    await page.getByRole('button', { name: 'Delete the account…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete the account?' });
    await dialog.getByLabel('Type your name').fill(name);
    await dialog.getByLabel('Your password', { exact: true }).fill(password);
    await page.keyboard.press('Enter');
    return dialog;
  };

  test('whose answer is lost ends the session, and no more is said than is known', async () => {
    const asUma = await site.server.newUser('uma', password);
    const page = await entered(site, 'uma', password, '/settings');
    const network = await Network.of(page.context());
    network.answer(async (request) => {
      if (request.method() !== 'DELETE' || !request.url().endsWith('/api/me')) return undefined;
      expect((await asUma('DELETE', '/api/me', { password })).status).toBe(204); // it arrives
      await network.cut(); // and its answer does not
      return 'silence';
    });
    const dialog = await askFor(page, 'uma');
    await dialog.getByText('it is not known yet whether your account is deleted').waitFor();
    network.heal();
    await page.getByText('your account is deleted, or you were signed out elsewhere').waitFor();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('that has not arrived is found out about: nothing is deleted', async () => {
    const asVera = await site.server.newUser('vera', password);
    const page = await entered(site, 'vera', password, '/settings');
    const network = await Network.of(page.context());
    network.answer((request) => (request.method() === 'DELETE' ? 'silence' : undefined));
    const dialog = await askFor(page, 'vera');
    await dialog.getByText('your account is still there so far').waitFor();
    expect((await asVera('GET', '/api/me')).status).toBe(200);
    network.pass();
    await dialog.getByRole('button', { name: 'Delete it for good' }).click();
    await page.getByText('Your account and everything in it is deleted.').waitFor();
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('is not offered for the account that docket was set up with, which says why', async () => {
    const page = await signedIn(site.browser, site.server);
    await page.goto(new URL('/settings', page.url()).href);
    await page.getByText('This is the account that docket was set up with.').waitFor();
    expect(await page.getByRole('button', { name: 'Delete the account…' }).count()).toBe(0);
    await page.context().close();
  });
});
