/**
 * A forgotten password, set anew by the link in an e-mail: a real browser, the real binary, and a mail server.
 *
 * [Task]: T006
 */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { violationsInEachLook } from './axe';
import { complaintsOf, enter, launch, screenshot, stranger } from './browser';
import { Mailbox } from './mailbox';
import { Server } from './server';

const password = 'four tame otters sing';
const another = 'seven wild badgers hum';

describe.skipIf(!inject('chromium'))('a forgotten password', { timeout: 120_000 }, () => {
  let mailbox: Mailbox;
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    mailbox = await Mailbox.open();
    server = await Server.start('--public-url=https://docket.test', ...mailbox.flags);
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
    mailbox.close();
  });

  test('is set anew by the link in an e-mail', async () => {
    const asCleo = await server.newUser('cleo', password);
    const set = await asCleo('PATCH', '/api/me', { email: 'cleo@example.org', password });
    expect(set.status).toBe(200);
    const page = await stranger(browser);
    await page.goto(server.url);
    await page.getByRole('link', { name: 'Forgot your password?' }).click();
    await page.getByRole('button', { name: 'Send the link' }).click();
    await page.getByText('Enter your name or your e-mail address.').waitFor();
    expect(await violationsInEachLook(page, 'forgotten')).toEqual([]);
    await page.getByRole('textbox', { name: 'Your name, or your e-mail address' }).fill('cleo@example.org');
    await page.keyboard.press('Enter');
    await page.getByText('a letter is on its way').waitFor();
    await screenshot(page, 'forgotten-sent');

    const letter = await mailbox.next();
    expect(letter).toMatch(/^To: .*<cleo@example\.org>/m);
    const link = /https:\/\/docket\.test(\/reset#\S+)/.exec(letter)?.[1];
    await page.goto(`${server.url}${link ?? ''}`);
    await page.getByLabel('New password', { exact: true }).fill(another);
    await page.keyboard.press('Enter');
    await page.getByText('Your new password is set').waitFor();
    await enter(page, 'cleo', password);
    await page.getByText('There is no user of that name with that password.').waitFor();
    await enter(page, 'cleo', another);
    await page.getByRole('textbox', { name: 'Add a task' }).waitFor();
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('of an account that there is not is answered in the same way', async () => {
    const page = await stranger(browser);
    await page.goto(`${server.url}/forgotten`);
    await page.getByRole('textbox', { name: 'Your name, or your e-mail address' }).fill('nobody');
    await page.keyboard.press('Enter');
    await page.getByText('a letter is on its way').waitFor();
    await page.getByRole('link', { name: 'Back to signing in' }).click();
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });
});
