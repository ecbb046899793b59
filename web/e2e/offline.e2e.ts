/**
 * Without a network, and back: what was done meanwhile is done on the server, once and in order; every tab is equal
 * to it; two edits of one task both stay.
 *
 * [Task]: T061, T069
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { complaintsOf, launch, signedIn } from './browser';
import { Network } from './network';
import { Server } from './server';

type Task = Record<string, unknown> & { id: string; title: string; tags: string[] };

const hard = [
  '<img src=x onerror=alert(1)> & <b>bold</b>',
  '👩‍👩‍👧‍👦 famille 🏳️‍🌈',
  'קנה חלב (2%) ולחם',
  `${'w'.repeat(200)}${'ß'.repeat(55)}`,
];

describe.skipIf(!inject('chromium'))('without a network', () => {
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

  const tasks = async (query = ''): Promise<Task[]> =>
    (await (await server.api('GET', `/api/tasks?limit=200${query}`)).json()) as Task[];

  async function add(page: Page, text: string): Promise<void> {
    await page.getByRole('textbox', { name: 'Add a task' }).fill(text);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: `Edit the title “${text}”` }).waitFor();
  }

  async function rename(page: Page, from: string, to: string): Promise<void> {
    await page.getByRole('button', { name: `Edit the title “${from}”` }).click();
    await page.getByRole('textbox', { name: 'Title' }).fill(to);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: `Edit the title “${to}”` }).waitFor();
  }

  test('changes are made, outlive a reload, and arrive', async () => {
    const page = await signedIn(browser, server);
    page.setDefaultTimeout(20_000);
    const network = await Network.of(page.context());
    await page.goto(`${server.url}/all`);
    await add(page, 'There before');
    await expect.poll(async () => (await tasks()).length).toBe(1);
    await page.reload(); // so that the socket goes the way that can be cut
    await page.getByText('There before').waitFor();
    await network.cut();

    for (const title of hard) await add(page, title);
    await rename(page, 'There before', 'There before, renamed');
    await rename(page, hard[1] ?? '', `${hard[1]} 2`);
    await page.getByRole('checkbox', { name: `Complete “${hard[2]}”` }).click();
    await page.getByText('Not connected').waitFor();
    await page.getByText('changes wait to be sent').waitFor();

    await page.reload();
    for (const title of ['There before, renamed', hard[0], `${hard[1]} 2`, hard[3]])
      await page.getByText(title ?? '', { exact: true }).waitFor();
    await server.api('POST', '/api/tasks', { title: 'Made elsewhere meanwhile' });
    network.heal();
    await page.getByText('Made elsewhere meanwhile').waitFor();
    await page.getByText('Not connected').waitFor({ state: 'detached' });

    const made = () => tasks('&sort_by=created_at&sort_order=asc');
    await expect
      .poll(async () => (await made()).map((t) => [t.title, t.status]), { timeout: 20_000 })
      .toEqual([
        ['There before, renamed', 'pending'],
        ['Made elsewhere meanwhile', 'pending'],
        [hard[0], 'pending'],
        [`${hard[1]} 2`, 'pending'],
        [hard[2], 'completed'],
        [hard[3], 'pending'],
      ]);
    const now = await made();
    const shown = await page
      .locator('[data-task]')
      .evaluateAll((rows) => rows.map((r) => r.getAttribute('data-task')));
    expect(shown.toSorted()).toEqual(
      now
        .filter((t) => t.status === 'pending')
        .map((t) => t.id)
        .toSorted(),
    );
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('two who rename one task see both results', async () => {
    const page = await signedIn(browser, server);
    page.setDefaultTimeout(20_000);
    await page.goto(`${server.url}/all`);
    await add(page, 'Call the bank');
    await expect.poll(async () => (await tasks('&search=Call')).length).toBe(1);
    const [task] = await tasks('&search=Call');
    const network = await Network.of(page.context());
    await page.reload();
    await page.getByText('Call the bank').waitFor();
    await network.cut();
    await rename(page, 'Call the bank', 'Call the bank at nine');
    await server.api('PATCH', `/api/tasks/${task?.id}`, { title: 'Call the new bank', priority: 'high' });
    network.heal();
    const told = page.getByText(/Meanwhile it was renamed to “.Call the new bank.” elsewhere/);
    await told.waitFor();
    const after = (await tasks('&search=Call'))[0];
    expect(after).toMatchObject({ title: 'Call the bank at nine', priority: 'high' });
    await page.getByRole('button', { name: 'Use the other' }).click();
    await page.getByText('Call the new bank', { exact: true }).waitFor();
    await expect.poll(async () => (await tasks('&search=Call'))[0]?.title).toBe('Call the new bank');
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('two tabs that change one task, each without knowing of the other, end equal', async () => {
    const one = await signedIn(browser, server);
    one.context().setDefaultTimeout(20_000);
    const network = await Network.of(one.context());
    await one.goto(`${server.url}/all`);
    const two = await one.context().newPage();
    await two.goto(`${server.url}/all`);
    await add(one, 'Shared by two tabs');
    await two.getByText('Shared by two tabs').waitFor();
    await expect.poll(async () => (await tasks('&search=Shared')).length).toBe(1);
    await network.cut();
    await rename(one, 'Shared by two tabs', 'Renamed in the first');
    await two.getByText('Renamed in the first').waitFor(); // what waits shows in both
    await two.getByRole('checkbox', { name: 'Complete “Renamed in the first”' }).click();
    await one.getByText('Renamed in the first').waitFor({ state: 'detached' });
    network.heal();
    await expect.poll(async () => (await tasks('&search=Renamed'))[0]?.status).toBe('completed');
    for (const tab of [one, two]) {
      await tab.getByRole('link', { name: 'Done' }).first().click();
      await tab.getByRole('checkbox', { name: 'Reopen “Renamed in the first”' }).waitFor();
    }
    expect(complaintsOf(one)).toEqual([]);
    await one.context().close();
  });
});
