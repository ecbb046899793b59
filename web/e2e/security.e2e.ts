/**
 * The page about signing in: the password, and where one is signed in, in a real browser against the real binary.
 *
 * [Task]: T006
 */
import { describe, expect, inject, test } from 'vitest';
import { violationsInEachLook } from './axe';
import { complaintsOf, entered, openSite } from './browser';

const password = 'four tame otters sing';

describe.skipIf(!inject('chromium'))('sign-in and security', { timeout: 120_000 }, () => {
  const site = openSite();

  test('changing the password ends the other sessions, and only the new one signs in', async () => {
    await site.server.newUser('flora', password);
    const elsewhere = await entered(site, 'flora', password);
    await elsewhere.getByRole('textbox', { name: 'Add a task' }).waitFor();
    const page = await entered(site, 'flora', password, '/security');
    const old = page.getByLabel('Present password', { exact: true });
    const fresh = page.getByLabel('New password', { exact: true });
    const set = page.getByRole('button', { name: 'Set the password' });
    await old.fill('not it');
    await fresh.fill('short');
    await set.click();
    await page.getByText('this one has fewer').waitFor();
    expect(await fresh.evaluate((e) => e === document.activeElement)).toBe(true);
    await fresh.fill('password1');
    await set.click();
    await page.getByText('one of the passwords that are tried first').waitFor();
    await fresh.fill('five wild otters sing');
    await set.click();
    await page.getByText('is not your password').waitFor();
    expect(await old.getAttribute('aria-invalid')).toBe('true');
    expect(await old.evaluate((e) => e === document.activeElement)).toBe(true);
    await elsewhere.reload(); // nothing was changed
    await elsewhere.getByRole('textbox', { name: 'Add a task' }).waitFor();

    await old.fill(password);
    await fresh.press('Enter');
    await page.getByText('Your password is set.').waitFor();
    expect(await fresh.inputValue()).toBe('');
    await elsewhere.getByText('You have been signed out.').waitFor(); // it is told
    await elsewhere.getByLabel('Password', { exact: true }).fill(password);
    await elsewhere.keyboard.press('Enter');
    await elsewhere.getByText('There is no user of that name with that password.').waitFor();
    await elsewhere.getByLabel('Password', { exact: true }).fill('five wild otters sing');
    await elsewhere.keyboard.press('Enter');
    await elsewhere.getByRole('textbox', { name: 'Add a task' }).waitFor();
    expect([...complaintsOf(page), ...complaintsOf(elsewhere)]).toEqual([]);
    await elsewhere.context().close();
    await page.context().close();
  });

  test('a session that is signed out elsewhere sees it, keeps what was typed, and goes on', async () => {
    await site.server.newUser('gero', password);
    const elsewhere = await entered(site, 'gero', password);
    await elsewhere.getByRole('textbox', { name: 'Add a task' }).fill('half a tho');
    const page = await entered(site, 'gero', password, '/security');
    const sessions = page.getByRole('list', { name: 'Where you are signed in' });
    await expect.poll(() => sessions.getByRole('listitem').count()).toBe(2);
    await sessions.getByRole('button', { name: 'Sign out: this browser' }).waitFor();
    expect(await violationsInEachLook(page, 'security')).toEqual([]);
    await sessions.getByRole('button', { name: /^Sign out: Chrome on Linux, signed in/ }).click();
    await expect.poll(() => sessions.getByRole('listitem').count()).toBe(1);
    expect(await sessions.evaluate((e) => e === document.activeElement)).toBe(true);

    await elsewhere.getByText('You have been signed out.').waitFor();
    await elsewhere.getByLabel('Password', { exact: true }).fill(password);
    await elsewhere.keyboard.press('Enter');
    const typed = elsewhere.getByRole('textbox', { name: 'Add a task' });
    await typed.waitFor();
    expect(await typed.inputValue()).toBe('half a tho');

    await page.reload();
    await page.getByRole('button', { name: 'Sign out everywhere else' }).click();
    await expect.poll(() => sessions.getByRole('listitem').count()).toBe(1);
    await elsewhere.getByText('You have been signed out.').waitFor();
    await sessions.getByRole('button', { name: 'Sign out: this browser' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect([...complaintsOf(page), ...complaintsOf(elsewhere)]).toEqual([]);
    await elsewhere.context().close();
    await page.context().close();
  });

  test('who got in, failed to, and changed what, is listed', async () => {
    const asIda = await site.server.newUser('ida', password);
    const guess = async () => {
      const body = JSON.stringify({ name: 'ida', password: 'three tame otters' });
      await fetch(`${site.server.url}/api/session`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body,
      });
    };
    await guess();
    await guess();
    await expect.poll(async () => (await asIda('GET', '/api/me/access')).text()).toContain('"times":2'); // it is noted later
    await asIda('POST', '/api/tokens', { name: 'the nightly script', scope: 'read' });
    const page = await entered(site, 'ida', password, '/security');
    const log = page.getByRole('list', { name: 'What happened to your account' });
    await log.getByText('Signed in · Chrome on Linux').waitFor();
    await log.getByText('API token made · the nightly script').waitFor();
    await log.getByText('2 tries to sign in failed').waitFor();
    expect(await log.getByText('Password changed').count()).toBe(1);
    await log.getByRole('listitem').last().scrollIntoViewIfNeeded();
    expect(await violationsInEachLook(page, 'access')).toEqual([]);
    await page.getByLabel('Present password', { exact: true }).fill(password);
    await page.getByLabel('New password', { exact: true }).fill('five wild otters sing');
    await page.keyboard.press('Enter');
    await expect.poll(() => log.getByText('Password changed').count()).toBe(2);
    for (let i = 0; i < 8; i++) await asIda('POST', '/api/tokens', { name: `script ${i}`, scope: 'read' });
    await page.reload();
    await log.getByText('API token made · script 7').waitFor();
    expect(await log.getByText('API token made · the nightly script').count()).toBe(0);
    await page.getByRole('button', { name: /^Show all/ }).click();
    await log.getByText('API token made · the nightly script').waitFor();
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });
});
