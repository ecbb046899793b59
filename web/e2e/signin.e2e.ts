/**
 * Signing in by name and password, in a real browser against the real binary.
 *
 * [Task]: T006
 */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { violationsInEachLook, violationsOn } from './axe';
import { complaintsOf, enter, launch, stranger } from './browser';
import { Server } from './server';

const password = 'four tame otters sing';

describe.skipIf(!inject('chromium'))('signing in', { timeout: 120_000 }, () => {
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    server = await Server.start();
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  test('by name and password; a wrong one is said at its field, and the next try goes on from there', async () => {
    await server.newUser('cleo', password);
    const page = await stranger(browser);
    await page.goto(`${server.url}/today?tag=home`);
    const name = page.getByRole('textbox', { name: 'Name' });
    await expect.poll(() => name.evaluate((e) => e === document.activeElement)).toBe(true);
    const secret = page.getByLabel('Password', { exact: true });
    // What password managers go by.
    expect(await name.getAttribute('autocomplete')).toBe('username webauthn');
    expect(await secret.getAttribute('autocomplete')).toBe('current-password');

    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText('Enter your name.').waitFor();
    await enter(page, 'cleo', 'three tame otters');
    await page.getByText('There is no user of that name with that password.').waitFor();
    expect(await secret.getAttribute('aria-invalid')).toBe('true');
    expect(await secret.evaluate((e) => e === document.activeElement)).toBe(true);
    expect(await violationsInEachLook(page, 'signin-wrong')).toEqual([]);
    await page.getByRole('button', { name: 'Show: Password' }).click();
    expect(await secret.getAttribute('type')).toBe('text');

    await enter(page, 'cleo', password);
    await page.getByRole('textbox', { name: 'Add a task' }).waitFor();
    expect(new URL(page.url()).search).toBe('?tag=home'); // where they wanted to go
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('without a password a link still does, found by keyboard', async () => {
    const page = await stranger(browser);
    await page.goto(server.url);
    await page.getByText('Sign in with a link').press('Enter');
    await page.getByRole('textbox', { name: 'Link or code' }).fill(await server.newLink());
    expect(await violationsOn(page)).toEqual([]);
    await page.getByRole('button', { name: 'Sign in with it' }).click();
    await page.getByRole('textbox', { name: 'Add a task' }).waitFor();
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('another user of the same browser sees nothing of the first, whose session has ended', async () => {
    const asDora = await server.newUser('dora', password);
    await server.newUser('emil', password);
    const page = await stranger(browser);
    await page.goto(server.url);
    await enter(page, 'dora', password);
    await page.getByRole('textbox', { name: 'Add a task' }).fill('Buy a ring, secretly');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Edit the title “Buy a ring, secretly”' }).waitFor();
    await page.getByRole('textbox', { name: 'Add a task' }).fill('a thought of Dora');
    await asDora('POST', '/api/tokens', { name: 'a token of Dora', scope: 'read' });
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('menuitem', { name: 'Settings' }).click();
    await page.getByText('a token of Dora').waitFor();
    await asDora('DELETE', '/api/sessions');
    await page.getByText('You have been signed out.').waitFor();
    expect(await page.getByRole('textbox', { name: 'Name' }).inputValue()).toBe('dora');

    await page.route('**/api/tokens', () => undefined); // never answered: what shows was kept
    await enter(page, 'emil', password);
    await page.getByRole('textbox', { name: 'Add a task' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/');
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('menuitem', { name: 'Settings' }).click();
    await page.getByRole('heading', { name: 'API tokens' }).waitFor();
    expect(await page.content()).not.toMatch(/secretly|Dora|dora/);
    await page.getByRole('link', { name: 'All' }).click();
    await page.getByRole('textbox', { name: 'Add a task' }).waitFor();
    expect(await page.content()).not.toMatch(/secretly|Dora|dora/);
    expect(await page.getByRole('textbox', { name: 'Add a task' }).inputValue()).toBe('');
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });
});
