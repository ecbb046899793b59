/**
 * The panel of a task and its history, in a real browser against the real binary: what is edited is read back through
 * the API, and every step is in the history and can be undone.
 *
 * [Task]: T034, T061, T069
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Task } from '../src/replica/types';
import { complaintsOf, launch, screenshot, signedIn } from './browser';
import { Server } from './server';

describe.skipIf(!inject('chromium'))('the panel', () => {
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    server = await Server.start();
    await server.api('PATCH', '/api/me', { time_zone: 'Europe/Berlin' });
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  const make = async (body: unknown) => (await (await server.api('POST', '/api/tasks', body)).json()) as Task;
  const read = async (id: string) => (await (await server.api('GET', `/api/tasks/${id}`)).json()) as Task;
  const until = (id: string, expected: Partial<Task>) =>
    expect.poll(() => read(id), { timeout: 15_000 }).toMatchObject(expected);
  const open = async (page: Page, id: string) => {
    await page.goto(`${server.url}/all?task=${id}`);
    const panel = page.getByRole('complementary', { name: 'Task' });
    await panel.getByRole('textbox', { name: 'Title' }).waitFor();
    return panel;
  };

  test('every field is edited where it stands and reaches the server', async () => {
    const page = await signedIn(browser, server);
    const { id } = await make({ title: 'Plan the trip', tags: ['old'] });
    await make({ title: 'Another', tags: ['travel'] });
    const panel = await open(page, id);

    await panel.getByRole('textbox', { name: 'Title' }).fill('Plan the long trip');
    await until(id, { title: 'Plan the long trip' }); // saved while the field still has the focus

    await panel.getByRole('button', { name: /^Add a description/ }).click();
    await panel
      .getByRole('textbox', { name: 'Description' })
      .fill('**Pack**\n\n- [ ] passport\n- [ ] tickets');
    await page.keyboard.press('Escape');
    await panel.getByRole('checkbox', { name: 'Box 2: tickets' }).click(); // ticked once it is kept
    await until(id, { description: '**Pack**\n\n- [ ] passport\n- [x] tickets' });

    await panel.getByRole('button', { name: /^Due date/ }).click();
    await panel.getByRole('textbox', { name: 'In words' }).fill('12 march 2031 5pm');
    await page.keyboard.press('Enter');
    await until(id, { due_date: '2031-03-12T17:00:00' });
    await panel.getByRole('button', { name: /Friday,? 14 March 2031/ }).click();
    await until(id, { due_date: '2031-03-14T17:00:00' });
    await panel.getByRole('combobox', { name: 'The time is meant' }).selectOption('zoned');
    await until(id, { due_date: '2031-03-14T17:00:00+01:00' });
    await panel.getByRole('button', { name: /^Due date/ }).click();

    await panel.getByRole('button', { name: /^Repetition/ }).click();
    await panel.getByRole('textbox', { name: 'In words' }).fill('every 2 weeks');
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await read(id)).recurrence_pattern).toContain('INTERVAL=2');
    await expect
      .poll(() => panel.getByRole('list', { name: 'Next dates' }).getByRole('listitem').allInnerTexts())
      .toEqual(['28 Mar', '11 Apr', '25 Apr', '9 May'].map((day) => `Fri, ${day} 2031, 17:00`));
    await panel.getByRole('button', { name: 'Every weekday' }).click();
    await until(id, { recurrence_pattern: 'RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR' });
    await panel.getByRole('button', { name: 'Repetition: every weekday. Change it' }).click();

    await panel.getByRole('combobox', { name: 'Add a reminder' }).selectOption('custom');
    await panel.getByRole('spinbutton', { name: 'How long before' }).fill('3');
    await panel.getByRole('combobox', { name: 'Unit' }).selectOption('day');
    await panel.getByRole('button', { name: 'Add', exact: true }).click();
    await panel.getByRole('button', { name: 'Remove the reminder “30 minutes before”' }).click();
    await until(id, { reminder_minutes: [4320] });

    await panel.getByRole('radio', { name: 'High' }).click();
    await panel.getByRole('combobox', { name: 'Add a tag' }).fill('tra');
    await panel.getByRole('option', { name: 'travel' }).click();
    await panel.getByRole('button', { name: 'Remove the tag “old”' }).click();
    await until(id, { priority: 'high', tags: ['travel'] });
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('a change made elsewhere is in the history at once, and its step is undone alone', async () => {
    const page = await signedIn(browser, server);
    const { id } = await make({ title: 'Call Anna', priority: 'low' });
    const panel = await open(page, id);
    await server.api('PATCH', `/api/tasks/${id}`, { title: 'Call Bo', priority: 'high' });
    await server.api('PATCH', `/api/tasks/${id}`, { description: 'Ring twice' });
    const step = panel.getByRole('button', { name: 'Undo: changed Title and Priority' });
    await step.click();
    const ask = panel.getByRole('group', { name: 'Undo this step' });
    expect(await ask.innerText()).toContain('Title: Call Anna');
    await ask.getByRole('button', { name: 'Undo', exact: true }).click();
    await until(id, { title: 'Call Anna', priority: 'low', description: 'Ring twice' });

    await panel.getByRole('button', { name: 'Undo: added the task' }).click();
    await panel.getByText('The history begins here. To undo it, delete the task.').waitFor();
    await screenshot(page, 'history-1280-light');
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('a deleted task shows by its link, and comes back', async () => {
    const page = await signedIn(browser, server);
    const { id } = await make({ title: 'Not gone' });
    const panel = await open(page, id);
    await panel.getByRole('button', { name: 'Delete the task' }).click();
    await until(id, { status: 'deleted' });
    await page.goto(`${server.url}/all?task=${id}`);
    await page.getByText('This task is deleted.').waitFor();
    await page.getByRole('button', { name: 'Restore' }).click();
    await page.getByRole('textbox', { name: 'Title' }).waitFor();
    await until(id, { status: 'pending' });
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('what was typed right before the tab closed is not lost', async () => {
    const page = await signedIn(browser, server);
    const { id } = await make({ title: 'Short' });
    const panel = await open(page, id);
    await panel.getByRole('button', { name: /^Add a description/ }).click();
    await panel.getByRole('textbox', { name: 'Description' }).pressSequentially('half a th');
    const context = page.context();
    await page.close();
    const next = await context.newPage();
    await next.goto(`${server.url}/all?task=${id}`);
    await until(id, { description: 'half a th' });
    await context.close();
  });

  test('while one types, another’s text is shown, and neither is lost', async () => {
    const page = await signedIn(browser, server);
    const { id } = await make({ title: 'Shared', description: 'mine' });
    const panel = await open(page, id);
    await panel.getByRole('button', { name: 'Edit the description' }).click();
    await panel.getByRole('textbox', { name: 'Description' }).fill('mine and more');
    await until(id, { description: 'mine and more' });
    await server.api('PATCH', `/api/tasks/${id}`, { description: 'theirs' });
    await panel.getByText('This was changed elsewhere while you were typing.').waitFor();
    expect(await panel.getByRole('textbox', { name: 'Description' }).inputValue()).toBe('mine and more');
    await panel.getByRole('button', { name: 'Use that instead' }).click();
    await page.keyboard.press('Escape');
    await until(id, { description: 'theirs' });
    await done(page);
  });

  const done = async (page: Page) => {
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  };

  test('on a phone it is a sheet', async () => {
    const page = await signedIn(browser, server, { width: 390, scheme: 'dark' });
    const { id } = await make({
      title: 'Book the train 😀 مرحبا <b>x</b>',
      description: '- [ ] seat\n- [x] <script>alert(1)</script>',
      due_date: '2031-03-12',
      tags: ['travel'],
    });
    await page.goto(`${server.url}/all?task=${id}`);
    const sheet = page.getByRole('dialog', { name: 'Task' });
    const title = await sheet.getByRole('textbox', { name: 'Title' }).boundingBox();
    expect(title?.height).toBeGreaterThan(20);
    await sheet.getByRole('button', { name: /^Due date/ }).click();
    await sheet.getByRole('grid').waitFor();
    await screenshot(page, 'panel-390-dark');
    await sheet.getByRole('checkbox', { name: /^Complete/ }).tap();
    await sheet.getByRole('button', { name: 'Undo', exact: true }).tap(); // of the toast, which is not behind the sheet
    await sheet.getByRole('checkbox', { name: /^Complete/ }).waitFor();
    await page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'detached' });
    await page.waitForURL((url) => url.search === '');
    await done(page);
  });
});
