/**
 * The page at which who has forgotten the password has a link sent, in a real browser against the real binary.
 *
 * [Task]: T006
 */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { violationsInEachLook } from './axe';
import { complaintsOf, launch, stranger } from './browser';
import { Server } from './server';

describe.skipIf(!inject('chromium'))('a forgotten password', { timeout: 120_000 }, () => {
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    server = await Server.start(
      '--public-url=https://docket.test',
      '--smtp-host=127.0.0.1',
      '--smtp-from=docket@docket.test',
    );
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  test('has its page, which tells nobody whether there is such an account', async () => {
    const page = await stranger(browser);
    await page.goto(server.url);
    await page.getByRole('link', { name: 'Forgot your password?' }).click();
    await page.getByRole('button', { name: 'Send the link' }).click();
    await page.getByText('Enter your name or your e-mail address.').waitFor();
    expect(await violationsInEachLook(page, 'forgotten')).toEqual([]);
    await page.getByRole('textbox', { name: 'Your name, or your e-mail address' }).fill('nobody');
    await page.keyboard.press('Enter');
    await page.getByText('a letter is on its way').waitFor();
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });
});
