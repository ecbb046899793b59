/**
 * The second factor: setting it up, signing in with it, recovery codes, and switching it off, in a real browser against the
 * real binary. The authenticator app is RFC 6238, and a reader of QR codes.
 *
 * [Task]: T006
 */
import { readFile } from 'node:fs/promises';
import jsQR from 'jsqr';
import type { Page } from 'playwright-core';
import { describe, expect, inject, test } from 'vitest';
import { codeOf } from './authenticator';
import { violationsInEachLook, violationsOn } from './axe';
import { complaintsOf, entered, openSite } from './browser';
import { decode } from './png';

const password = 'four tame otters sing';

/** What the QR code on the page says, as a camera sees it. */
async function scanned(page: Page): Promise<string | undefined> {
  const picture = await page.getByRole('img', { name: /^QR code/ }).screenshot();
  const { width, height, pixels } = decode(picture);
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) rgba.set(pixels.subarray(i * 3, i * 3 + 3), i * 4);
  return jsQR(rgba, width, height)?.data;
}

describe.skipIf(!inject('chromium'))('the second factor', { timeout: 120_000 }, () => {
  const site = openSite();

  const quickAdd = (page: Page) => page.getByRole('textbox', { name: 'Add a task' });

  /** The recovery codes that are shown on the page. */
  async function recoveryOn(page: Page): Promise<string[]> {
    const shown = page.getByRole('group', { name: 'Your recovery codes' });
    await shown.waitFor();
    return shown.getByRole('listitem').allTextContents();
  }

  /** Sets it up on the page about security; returns the secret and the recovery codes. */
  async function setUp(
    page: Page,
    look: (name: string) => Promise<void>,
  ): Promise<{ secret: string; recovery: string[] }> {
    await page.getByRole('button', { name: 'Set it up' }).click();
    const own = page.getByLabel('Your password', { exact: true });
    await own.fill('not it');
    await page.keyboard.press('Enter');
    await page.getByText('is not your password').waitFor();
    await own.fill(password);
    await page.keyboard.press('Enter');
    const code = page.getByLabel('Code that the app shows now');
    await code.waitFor();
    await look('factor-enrol');
    const uri = new URL((await scanned(page)) ?? 'nothing:');
    const secret = uri.searchParams.get('secret') ?? '';
    expect(uri.href).toBe(await page.getByRole('link', { name: 'Open it in an app' }).getAttribute('href'));
    expect((await page.locator('code').textContent())?.replaceAll(' ', '')).toBe(secret);
    await code.fill('12345');
    await page.keyboard.press('Enter');
    await page.getByText('This is not the code').waitFor();
    await code.fill(codeOf(secret));
    await page.keyboard.press('Enter');
    const recovery = await recoveryOn(page);
    expect(recovery).toHaveLength(10);
    return { secret, recovery };
  }

  test('is set up with an app, asked for at sign-in, and a recovery code stands in for it', async () => {
    await site.server.newUser('nora', password);
    const page = await entered(site, 'nora', password, '/security');
    const { secret, recovery } = await setUp(page, async (name) => {
      expect(await violationsInEachLook(page, name)).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' }); // the code is read in the dark, too
    });
    expect(await violationsInEachLook(page, 'factor-codes')).toEqual([]);
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Save as a file' }).click();
    expect((await download).suggestedFilename()).toBe('docket-recovery-codes.txt');
    expect(await readFile(await (await download).path(), 'utf8')).toBe(`${recovery.join('\n')}\n`);
    await page.getByRole('button', { name: 'I have kept them' }).click();
    await page.getByText('10 recovery codes are left.').waitFor();
    expect(await page.content()).not.toContain(recovery[0]);

    const phone = await entered(site, 'nora', password, '/today');
    await phone.getByRole('heading', { name: 'One more step' }).waitFor();
    const code = phone.getByRole('textbox', { name: 'Code' });
    expect(await code.getAttribute('autocomplete')).toBe('one-time-code');
    expect(await code.evaluate((e) => e === document.activeElement)).toBe(true);
    await code.fill('000000');
    await phone.keyboard.press('Enter');
    await phone.getByText('This is not the code').waitFor();
    expect(await violationsInEachLook(phone, 'signin-factor')).toEqual([]);
    await code.fill(codeOf(secret, 1)); // that of now has confirmed
    await phone.keyboard.press('Enter');
    await quickAdd(phone).waitFor();
    expect(new URL(phone.url()).pathname).toBe('/today');

    const other = await entered(site, 'nora', password);
    await other.getByRole('button', { name: 'Use a recovery code instead' }).click();
    await other.getByRole('textbox', { name: 'Recovery code' }).fill('aaaa-aaaa-aaaa-aaaa');
    await other.keyboard.press('Enter');
    await other.getByText('This is none of your recovery codes').waitFor();
    expect(await violationsOn(other)).toEqual([]);
    await other.getByRole('textbox', { name: 'Recovery code' }).fill(` ${recovery[0]?.toUpperCase() ?? ''}`);
    await other.keyboard.press('Enter');
    await quickAdd(other).waitFor();
    await page.reload();
    await page.getByText('9 recovery codes are left.').waitFor();
    expect([page, phone, other].flatMap(complaintsOf)).toEqual([]);
    for (const one of [page, phone, other]) await one.context().close();
  });

  test('gives new recovery codes, and is switched off, to who knows the password and has a code', async () => {
    await site.server.newUser('omar', password);
    const page = await entered(site, 'omar', password, '/security');
    const { recovery } = await setUp(page, () => Promise.resolve());
    await page.getByRole('button', { name: 'I have kept them' }).click();
    await page.getByRole('button', { name: 'Make new recovery codes' }).click();
    const renew = page.getByRole('form', { name: 'Make new recovery codes' });
    await renew.getByLabel('Your password', { exact: true }).fill(password);
    await renew.getByLabel('Code').fill('bbbb-bbbb-bbbb-bbbb');
    await page.keyboard.press('Enter');
    await renew.getByText('This is not the code').waitFor();
    expect(await violationsInEachLook(page, 'factor-on')).toEqual([]);
    await renew.getByLabel('Code').fill(recovery[3] ?? '');
    await page.keyboard.press('Enter');
    const fresh = await recoveryOn(page);
    expect(fresh.filter((one) => recovery.includes(one))).toEqual([]);
    await page.getByRole('button', { name: 'I have kept them' }).click();

    await page.getByRole('button', { name: 'Switch it off' }).click();
    const off = page.getByRole('form', { name: 'Switch it off' });
    await off.getByLabel('Your password', { exact: true }).fill(password);
    await off.getByLabel('Code').fill(recovery[4] ?? '');
    await page.keyboard.press('Enter');
    await off.getByText('This is not the code').waitFor(); // it was one of the old ones
    await off.getByLabel('Code').fill(fresh[0] ?? '');
    await page.keyboard.press('Enter');
    await page.getByText('The second step is off.').waitFor();
    await page.getByRole('button', { name: 'Set it up' }).waitFor();
    const other = await entered(site, 'omar', password);
    await quickAdd(other).waitFor();
    expect([page, other].flatMap(complaintsOf)).toEqual([]);
    for (const one of [page, other]) await one.context().close();
  });
});
