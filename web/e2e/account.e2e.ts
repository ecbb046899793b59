/**
 * Settings, tokens, the activity page and signing in, in a real browser against the real binary.
 *
 * [Task]: T006, T034, T053
 */
import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { violationsInEachLook } from './axe';
import { complaintsOf, launch, screenshot, signedIn, stranger } from './browser';
import { Server } from './server';

describe.skipIf(!inject('chromium'))('the account', () => {
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

  const me = async () => (await (await server.api('GET', '/api/me')).json()) as Record<string, unknown>;

  test('a link signs in once; used again it says so, and a code by hand works', async () => {
    const { token } = (await (await server.api('POST', '/api/users', { name: 'bo' })).json()) as {
      token: string;
    };
    const asBo = async (method: string, path: string) =>
      (await (
        await fetch(server.url + path, { method, headers: { Authorization: `Bearer ${token}` } })
      ).json()) as Record<string, string>;
    const newLink = async () => `${server.url}/signin#${(await asBo('POST', '/api/session/link')).code}`;
    const zone = async () => (await asBo('GET', '/api/me')).time_zone;

    const context = await browser.newContext({ timezoneId: 'Asia/Tokyo', locale: 'en-GB' });
    const page = await context.newPage();
    const link = await newLink();
    await page.goto(link);
    await page.getByRole('textbox', { name: 'Add a task' }).waitFor();
    expect(page.url()).not.toContain('#');
    expect(await zone()).toBe('Asia/Tokyo'); // nobody had chosen one

    const other = await (await browser.newContext({ timezoneId: 'Europe/Berlin' })).newPage();
    await other.goto(link);
    await other.getByText('This link was used before, or is older than an hour').waitFor();
    await other.getByRole('textbox', { name: 'Link or code' }).fill('abc');
    await other.getByRole('button', { name: 'Sign in with it' }).click();
    await other.getByText('This is not a whole code').waitFor();
    await other.getByRole('textbox', { name: 'Link or code' }).fill(await newLink());
    await other.getByRole('button', { name: 'Sign in with it' }).click();
    await other.getByRole('textbox', { name: 'Add a task' }).waitFor();
    expect(await zone()).toBe('Asia/Tokyo'); // a second browser does not change it
    await other.context().close();
    await context.close();
  });

  test('settings are saved, and what is wrong is said at its field', async () => {
    const page = await signedIn(browser, server);
    await page.goto(`${server.url}/settings`);
    await page.getByRole('textbox', { name: 'Name' }).fill('Ada');
    await page.getByRole('textbox', { name: 'E-mail' }).fill('nonsense');
    await page.getByRole('button', { name: 'Save' }).first().click();
    await page.getByText('must be an e-mail address such as ada@example.org').waitFor();
    expect(await page.getByRole('textbox', { name: 'E-mail' }).getAttribute('aria-invalid')).toBe('true');
    expect((await me()).name).not.toBe('Ada'); // nothing was changed
    await page.getByRole('textbox', { name: 'E-mail' }).fill('ada@example.org');
    await page.getByRole('button', { name: 'Save' }).first().click();
    await expect.poll(me).toMatchObject({ name: 'Ada', email: 'ada@example.org' });

    await page.getByRole('combobox', { name: 'Time zone' }).fill('buenos');
    await page.getByRole('option', { name: /Buenos Aires/ }).click();
    await expect.poll(async () => (await me()).time_zone).toMatch(/Buenos_Aires$/);
    await page.getByRole('combobox', { name: 'Add a reminder' }).selectOption('1440');
    await expect.poll(async () => (await me()).reminder_minutes).toEqual([1440, 30]);
    await page.getByRole('switch', { name: 'By e-mail' }).click(); // on once the server has it
    await page.getByRole('textbox', { name: 'Address of the webhook' }).fill('not an address');
    await page.getByRole('button', { name: 'Save' }).nth(1).click();
    await page.getByText('must be an absolute http or https address').waitFor();
    await page.getByRole('textbox', { name: 'Address of the webhook' }).fill('https://example.org/hook');
    await page.getByRole('button', { name: 'Save' }).nth(1).click();
    await page.getByRole('textbox', { name: 'Its secret' }).waitFor();
    await expect
      .poll(me)
      .toMatchObject({ channels: { email: true, webhook: { url: 'https://example.org/hook' } } });
    await page.getByRole('radio', { name: 'Dark' }).click();
    await expect.poll(() => page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
    await screenshot(page, 'settings-1280-dark');
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('the e-mail address changes only with the password, where there is one', async () => {
    const asKim = await server.newUser('kim', 'four words of kim');
    const { code } = (await (await asKim('POST', '/api/session/link')).json()) as { code: string };
    const email = async () => ((await (await asKim('GET', '/api/me')).json()) as { email: string }).email;
    const page = await stranger(browser);
    await page.goto(`${server.url}/signin#${code}`);
    await page.getByRole('textbox', { name: 'Add a task' }).waitFor();
    await page.goto(`${server.url}/settings`);
    const save = page.getByRole('button', { name: 'Save' }).first();
    const password = page.getByLabel('Your password', { exact: true });
    await page.getByRole('textbox', { name: 'Language' }).fill('de');
    await save.click();
    await page.getByText('Saved.').waitFor();
    expect(await password.count()).toBe(0); // nothing else needs it

    await page.getByRole('textbox', { name: 'E-mail' }).fill('kim@example.org');
    await save.click();
    await page.getByText('is needed to change the e-mail address').waitFor();
    expect(await password.evaluate((field) => field === document.activeElement)).toBe(true);
    await password.fill('another');
    await page.keyboard.press('Enter');
    await page.getByText('is not your password').waitFor();
    expect(await password.getAttribute('aria-invalid')).toBe('true');
    expect(await email()).toBe('');
    await password.fill('four words of kim');
    await page.keyboard.press('Enter');
    await password.waitFor({ state: 'detached' });
    expect(await email()).toBe('kim@example.org');
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('a token is shown once, works, and no longer once it is revoked', async () => {
    const page = await signedIn(browser, server);
    await page.goto(`${server.url}/settings`);
    await page.getByRole('textbox', { name: 'What is it for?' }).fill('a script');
    await page.getByRole('button', { name: 'Make a token' }).click();
    const token = await page.getByRole('textbox', { name: 'a script' }).inputValue();
    const as = (secret: string) =>
      fetch(`${server.url}/api/tokens`, { headers: { Authorization: `Bearer ${secret}` } });
    expect((await as(token)).status).toBe(200);
    expect(await violationsInEachLook(page, 'token')).toEqual([]);
    await page.getByRole('button', { name: 'I have it' }).click();
    await page.reload();
    await page.getByRole('button', { name: 'Revoke “a script”' }).click();
    expect(await page.content()).not.toContain(token);
    const sure = page.getByRole('group', { name: 'Revoke “a script”' });
    await sure.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('a script', { exact: true }).waitFor({ state: 'detached' });
    const left = (await (await server.api('GET', '/api/tokens')).json()) as { name: string }[];
    expect(left.map(({ name }) => name)).not.toContain('a script');
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('everything of the user is to be had as files', async () => {
    await server.api('POST', '/api/tasks', { title: 'Water the fern', due_date: '2031-05-04' });
    const page = await signedIn(browser, server);
    await page.goto(`${server.url}/settings`);
    const saved = async (link: string) => {
      const download = page.waitForEvent('download');
      await page.getByRole('link', { name: link }).click();
      return {
        name: (await download).suggestedFilename(),
        text: await readFile(await (await download).path(), 'utf8'),
      };
    };
    const all = await saved('Export everything');
    expect(all.name).toBe('docket.json');
    const { tasks } = JSON.parse(all.text) as { tasks: { title: string }[] };
    expect(tasks.map(({ title }) => title)).toContain('Water the fern');
    const calendar = await saved('Export the tasks as iCalendar');
    expect(calendar.name).toBe('docket.ics');
    expect(calendar.text).toMatch(/^BEGIN:VCALENDAR[^]*SUMMARY:Water the fern[^]*END:VCALENDAR\s*$/);
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('the activity page is live, filtered, and loads older entries while one scrolls', async () => {
    const page = await signedIn(browser, server);
    const changes = Array.from({ length: 120 }, (_, i) => ({ op: 'create', body: { title: `Task ${i}` } }));
    await server.api('POST', '/api/tasks/batch', { changes });
    await page.goto(`${server.url}/activity`);
    const trail = page.getByRole('list', { name: 'What was done' });
    await trail.getByText('Task 119', { exact: true }).waitFor();
    const made = (await (await server.api('POST', '/api/tasks', { title: 'Just now' })).json()) as {
      id: string;
    };
    await trail.getByText('Just now', { exact: true }).waitFor();
    await page.getByText('Task 75', { exact: true }).scrollIntoViewIfNeeded();
    await trail.getByText('Task 60', { exact: true }).waitFor();

    await server.api('POST', `/api/tasks/${made.id}/complete`);
    await page.getByRole('combobox', { name: 'What' }).selectOption('task.completed');
    await expect.poll(() => trail.getByRole('listitem').count()).toBe(1);
    expect(await trail.innerText()).toContain('completed the task: Just now');
    await page.getByRole('combobox', { name: 'What' }).selectOption('');
    await page.getByRole('textbox', { name: 'Task', exact: true }).fill('just');
    await page.keyboard.press('Enter');
    await expect.poll(() => trail.getByRole('listitem').count()).toBe(2);
    expect(new URL(page.url()).searchParams.get('of')).toBe(made.id);
    await screenshot(page, 'activity-1280-light');
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('what became of a reminder is told, attempt by attempt', async () => {
    const page = await signedIn(browser, server);
    await server.api('POST', '/api/tasks', { title: 'Overdue already', due_date: '2026-01-02T09:00:00' });
    await page.goto(`${server.url}/activity?show=reminders`);
    const reminders = page.getByRole('list', { name: 'Reminders' });
    await reminders.getByText(/Overdue already/).waitFor();
    await reminders.getByText('Inbox').first().click();
    await reminders
      .getByText(/delivered/)
      .first()
      .waitFor();
    await page.goto(`${server.url}/activity?show=system`);
    await page.getByText('connected', { exact: true }).waitFor();
    const about = (await (await server.api('GET', '/api/about')).json()) as { version: string };
    await page.getByText(about.version).waitFor();
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });
});
