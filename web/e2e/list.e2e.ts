/**
 * The list in a real browser, against the real binary.
 *
 * [Task]: T062, T069
 */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Task } from '../src/replica/types';
import { heading, heightOf } from '../src/tasks/heights';
import { complaintsOf, launch, signedIn } from './browser';
import { Server } from './server';

describe.skipIf(!inject('chromium'))('the list', () => {
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

  test('what is added, edited and completed in one tab shows in another', async () => {
    const one = await signedIn(browser, server);
    const two = await one.context().newPage();
    await two.goto(`${server.url}/today`);
    await one.getByRole('textbox', { name: 'Add a task' }).fill('Water the plants today #home !high');
    await one.keyboard.press('Enter');
    await two.getByText('Water the plants', { exact: true }).waitFor();

    await one.getByRole('button', { name: 'Edit the title “Water the plants”' }).click();
    await one.getByRole('textbox', { name: 'Title' }).fill('Water all the plants');
    await one.keyboard.press('Enter');
    await two.getByText('Water all the plants', { exact: true }).waitFor();

    await one.getByRole('checkbox', { name: 'Complete “Water all the plants”' }).click();
    await two.getByText('A clear day.').waitFor();
    await two.getByRole('link', { name: 'Done' }).click();
    await two.getByRole('checkbox', { name: 'Reopen “Water all the plants”' }).waitFor();

    const [task] = (await (await server.api('GET', '/api/tasks')).json()) as Record<string, unknown>[];
    expect(task).toMatchObject({
      title: 'Water all the plants',
      status: 'completed',
      tags: ['home'],
      priority: 'high',
    });
    expect(complaintsOf(one)).toEqual([]);
    await one.context().close();
  });

  test('rows are as high as the list foresees, so that none is drawn twice', async () => {
    const bodies = [
      { title: 'Bare', reminder_minutes: [] },
      { title: 'Noted', description: 'x' },
      { title: 'Flagged', priority: 'high' },
      { title: 'Tagged', tags: ['tag'] },
      { title: 'On a day', due_date: '2031-03-12', reminder_minutes: [] },
      { title: 'With a bell', due_date: '2031-03-12', reminder_minutes: [10] },
      { title: 'At a time', due_date: '2031-03-12T09:00:00', reminder_minutes: [] },
      { title: 'Again and again', due_date: '2031-03-12', recurrence_pattern: 'weekly' },
    ];
    const tasks: Task[] = [];
    for (const body of bodies)
      tasks.push((await (await server.api('POST', '/api/tasks', body)).json()) as Task);
    const page = await signedIn(browser, server);
    await page.goto(`${server.url}/all`);
    for (const task of tasks) {
      const row = page.locator(`[role=presentation]:has([data-task="${task.id}"])`);
      await row.waitFor();
      const height = await row.evaluate((e: HTMLElement) => e.offsetHeight);
      expect(height, task.title).toBe(heightOf(task, true));
    }
    const headings = page.locator('[role=presentation]:has(> [role=row] h2)');
    expect(await headings.first().evaluate((e: HTMLElement) => e.offsetHeight)).toBe(heading);
    for (const { id } of tasks) await server.api('DELETE', `/api/tasks/${id}`);
    await page.context().close();
  });

  test('a reload shows the kept list at once, and what happened meanwhile', async () => {
    const page = await signedIn(browser, server);
    await server.api('POST', '/api/tasks', { title: 'Kept by the browser' });
    await page.goto(`${server.url}/all`);
    await page.getByText('Kept by the browser', { exact: true }).waitFor();
    await page.goto('about:blank');
    await server.api('POST', '/api/tasks', { title: 'Made meanwhile' });
    await page.goto(`${server.url}/all`);
    await page.getByText('Made meanwhile', { exact: true }).waitFor();
    await page.getByText('Kept by the browser', { exact: true }).waitFor();
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });
});
