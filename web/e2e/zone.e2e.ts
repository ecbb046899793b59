/**
 * A browser in another time zone than the account: the user is told, and decides with one press.
 *
 * [Task]: T062
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { violationsInEachLook } from './axe';
import { complaintsOf, launch, signedIn } from './browser';
import { Server } from './server';

const told = 'This device is in Asia/Tokyo. Days and times are those of Europe/Berlin.';

describe.skipIf(!inject('chromium'))('the time zone', () => {
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    server = await Server.start();
    await server.api('PATCH', '/api/me', { time_zone: 'Europe/Berlin' });
    await server.api('POST', '/api/tasks', { title: 'Call Tokyo', due_date: '2031-03-12T09:00:00+01:00' });
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  const zone = async () =>
    ((await (await server.api('GET', '/api/me')).json()) as { time_zone: string }).time_zone;
  const open = async (page: Page, time: string) => {
    await page.goto(`${server.url}/all`);
    await page.getByRole('row', { name: new RegExp(`^Call Tokyo, .*${time}`) }).waitFor();
  };

  test('it is kept, and not asked about again', async () => {
    const page = await signedIn(browser, server, { zone: 'Asia/Tokyo' });
    await open(page, '09:00');
    await page.getByText(told).waitFor();
    expect(await violationsInEachLook(page, 'zone')).toEqual([]);
    await page.getByRole('button', { name: 'Keep Europe/Berlin' }).click();
    await page.getByText(told).waitFor({ state: 'detached' });
    await open(page, '09:00');
    expect(await page.getByText(told).count()).toBe(0);
    expect(await zone()).toBe('Europe/Berlin');
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('it is changed, in every tab', async () => {
    const page = await signedIn(browser, server, { zone: 'Asia/Tokyo' });
    const other = await page.context().newPage();
    await open(other, '09:00');
    await other.getByText(told).waitFor();
    await open(page, '09:00');
    await page.getByRole('button', { name: 'Change to Asia/Tokyo' }).click();
    await page.getByText('Days and times are now those of Asia/Tokyo.').waitFor();
    for (const tab of [page, other]) {
      await tab.getByRole('row', { name: /^Call Tokyo, .*17:00/ }).waitFor();
      await tab.getByText(told).waitFor({ state: 'detached' });
    }
    expect(await zone()).toBe('Asia/Tokyo');
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });
});
