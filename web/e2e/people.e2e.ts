/**
 * Invitations, making an account, and a forgotten password, in a real browser against the real binary.
 *
 * [Task]: T006
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { violationsInEachLook } from './axe';
import { complaintsOf, enter, launch, signedIn, stranger } from './browser';
import { Server } from './server';

const password = 'four tame otters sing';

describe.skipIf(!inject('chromium'))('people', { timeout: 120_000 }, () => {
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    server = await Server.start('--sign-up', 'invitation');
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  const quickAdd = (page: Page) => page.getByRole('textbox', { name: 'Add a task' });
  const secret = (page: Page) => page.getByLabel('Password', { exact: true });

  test('an invitation makes one account; revoked or used it makes none', async () => {
    const admin = await signedIn(browser, server);
    await admin.getByRole('button', { name: 'Account' }).click();
    await admin.getByRole('menuitem', { name: 'People' }).click();
    const invite = async (note: string) => {
      await admin.getByRole('textbox', { name: 'Whom is it for?' }).fill(note);
      await admin.getByRole('button', { name: 'Make an invitation' }).click();
      const link = await admin.getByRole('textbox', { name: 'Link of the invitation' }).inputValue();
      await admin.getByText(note, { exact: true }).waitFor();
      return link;
    };
    const link = await invite('Hanna');
    expect(await violationsInEachLook(admin, 'people')).toEqual([]);
    await admin.getByRole('button', { name: 'I have it' }).click();
    const revoked = await invite('Ivo');
    await admin.getByRole('button', { name: 'Revoke the invitation: Ivo' }).click();
    await admin.getByText('Ivo', { exact: true }).waitFor({ state: 'detached' });

    const page = await stranger(browser);
    await page.goto(revoked);
    expect(await secret(page).getAttribute('autocomplete')).toBe('new-password');
    await page.getByRole('textbox', { name: 'Name' }).fill('hanna');
    await secret(page).fill('short');
    await page.getByRole('button', { name: 'Make the account' }).click();
    await page.getByText('this one has fewer').waitFor();
    await secret(page).fill(password);
    await page.getByRole('button', { name: 'Make the account' }).click();
    await page.getByText('This invitation was used or revoked').waitFor();
    expect(await violationsInEachLook(page, 'signup')).toEqual([]);
    await page.getByRole('textbox', { name: 'Invitation' }).fill(link);
    await page.getByRole('textbox', { name: 'Name' }).fill('Me'); // the first user's, in another case
    await page.getByRole('button', { name: 'Make the account' }).click();
    await page.getByText('Somebody here has this name already').waitFor();
    await page.getByRole('textbox', { name: 'Name' }).fill('hanna');
    await page.getByRole('button', { name: 'Make the account' }).click();
    await quickAdd(page).waitFor();
    expect(new URL(page.url()).hash).toBe('');

    const late = await stranger(browser);
    await late.goto(link);
    await enter(late, 'jo', password);
    await late.getByText('This invitation was used or revoked').waitFor();
    expect([admin, page, late].flatMap(complaintsOf)).toEqual([]);
    for (const one of [admin, page, late]) await one.context().close();
  });

  test('who has forgotten the password sets a new one by a link of an administrator, once', async () => {
    await server.newUser('kim', password);
    const admin = await signedIn(browser, server);
    await admin.goto(`${server.url}/people`);
    await admin.getByRole('textbox', { name: 'Their name' }).fill('kom');
    await admin.keyboard.press('Enter');
    await admin.getByText('Nobody here has this name.').waitFor();
    await admin.getByRole('textbox', { name: 'Their name' }).fill('Kim');
    await admin.getByRole('button', { name: 'Make a link' }).click();
    const link = await admin.getByRole('textbox', { name: 'Link to set a new password' }).inputValue();

    const page = await stranger(browser);
    await page.goto(link);
    const fresh = page.getByLabel('New password', { exact: true });
    await fresh.fill('six grey otters sleep');
    expect(await violationsInEachLook(page, 'reset')).toEqual([]);
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.getByText('Your new password is set').waitFor();
    await enter(page, 'kim', 'six grey otters sleep');
    await quickAdd(page).waitFor();

    const again = await stranger(browser);
    await again.goto(link);
    await again.getByLabel('New password', { exact: true }).fill('seven red otters');
    await again.keyboard.press('Enter');
    await again.getByText('This link was used before').waitFor();
    expect([admin, page, again].flatMap(complaintsOf)).toEqual([]);
    for (const one of [admin, page, again]) await one.context().close();
  });
});
