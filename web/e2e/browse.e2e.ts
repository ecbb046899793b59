/**
 * Finding tasks in a real browser: search, filter, order, saved filters, the palette.
 *
 * [Task]: T060, T062
 */
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { complaintsOf, launch, screenshot, signedIn } from './browser';
import { Server } from './server';

/** The titles of the rows, in order. */
const titles = (page: Page) =>
  page
    .getByRole('row')
    .getByRole('button', { name: /^Edit the title/ })
    .allTextContents();

/** Types and presses Enter before the page draws: a fast hand on a slow device. */
const typedAtOnce = (field: Locator, text: string) =>
  field.evaluate((input: HTMLInputElement, value) => {
    // As the browser sets it: React takes the element's own setter for its own doing, and sees no change.
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(input, value);
    input.dispatchEvent(new Event('input', { bubbles: true }));
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
  }, text);

describe.skipIf(!inject('chromium'))('finding tasks', () => {
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    server = await Server.start();
    const changes = [
      { title: 'Buy oat milk', priority: 'low', tags: ['home'] },
      { title: 'Send the offer', priority: 'high', tags: ['work'], description: 'to Wójcik' },
      { title: 'Call the plumber', priority: 'high', tags: ['home'] },
      { title: 'Água for the plants', tags: ['home', 'garden'] },
    ].map((body) => ({ op: 'create', body }));
    await server.api('POST', '/api/tasks/batch', { changes });
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  test('search, filter and order are in the address, and come back with it', async () => {
    const page = await signedIn(browser, server);
    await page.goto(`${server.url}/all`);
    await page.getByText('4 tasks').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('ÁGUA');
    await page.getByText('1 task', { exact: true }).waitFor();
    expect(await titles(page)).toEqual(['Água for the plants']);
    await page.keyboard.press('Control+a');
    await page.keyboard.type('WÓJCIK');
    await page.getByText('Send the offer').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('4 tasks').waitFor();

    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    await page.getByRole('checkbox', { name: 'High' }).check();
    await page.getByRole('checkbox', { name: '#home' }).check();
    await page.getByText('1 task', { exact: true }).waitFor();
    expect(await titles(page)).toEqual(['Call the plumber']);
    expect(new URL(page.url()).search).toBe('?priority=high&tag=home');
    await screenshot(page, 'filter-1280-light');
    await page.getByRole('button', { name: 'Remove: #home' }).click();
    await page.getByText('2 tasks').waitFor();
    await page.getByRole('combobox', { name: 'Sort by' }).selectOption('Title');
    await page.getByRole('button', { name: 'Ascending: turn round' }).click();
    await page.getByRole('button', { name: 'Descending: turn round' }).waitFor();
    expect(await titles(page)).toEqual(['Send the offer', 'Call the plumber']);

    const address = page.url();
    await page.goto(`${server.url}/today?tag=home`); // some of the tag's tasks, and not its list
    await page.getByRole('heading', { name: 'Today', level: 1 }).waitFor();
    await page
      .getByRole('link', { name: 'Today', exact: true })
      .and(page.locator('[aria-current]'))
      .waitFor();
    await page.goto('about:blank');
    await page.goto(address);
    await page.getByText('2 tasks').waitFor();
    expect(await titles(page)).toEqual(['Send the offer', 'Call the plumber']);
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('a filter is saved, counted, renamed, put in order and deleted, in every tab', async () => {
    const page = await signedIn(browser, server);
    const other = await page.context().newPage();
    await other.goto(`${server.url}/all`);
    const elsewhere = other.getByRole('navigation', { name: 'Views' });
    for (const [query, name] of [
      ['tag=home', 'At home'],
      ['priority=high', 'Urgent'],
    ] as const) {
      await page.goto(`${server.url}/all?${query}`);
      await page.getByRole('button', { name: 'Save filter' }).click();
      await page.getByRole('textbox', { name: 'Name' }).fill(name);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name, level: 1 }).waitFor();
    }
    await elsewhere.getByRole('link', { name: 'At home 3' }).waitFor();
    await elsewhere.getByRole('link', { name: 'Urgent 2' }).waitFor();
    await server.api('POST', '/api/tasks', { title: 'Fix the roof', tags: ['home'] });
    await elsewhere.getByRole('link', { name: 'At home 4' }).waitFor();

    await page.getByRole('button', { name: 'More for “Urgent”' }).click();
    await page.getByRole('menuitem', { name: 'Move up' }).click();
    await other.locator('nav li:has-text("Urgent") + li:has-text("At home")').waitFor();
    await page.getByRole('button', { name: 'More for “At home”' }).click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Household');
    await page.keyboard.press('Enter');
    await elsewhere.getByRole('link', { name: /^Household/ }).click();
    await other.getByText('Fix the roof').waitFor();
    await other.getByRole('heading', { name: 'Household', level: 1 }).waitFor();

    await other.getByRole('combobox', { name: 'Sort by' }).selectOption('Title');
    await other.getByRole('button', { name: 'Update “Household”' }).click();
    await other.getByRole('button', { name: 'Update “Household”' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'More for “Urgent”' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await elsewhere.getByRole('link', { name: /^Urgent/ }).waitFor({ state: 'detached' });
    const kept = (await (await server.api('GET', '/api/filters')).json()) as {
      name: string;
      query: unknown;
    }[];
    expect(kept.map(({ name, query }) => ({ name, query }))).toEqual([
      { name: 'Household', query: { tag: ['home'], sort_by: 'title' } },
    ]);
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('an address at which there is nothing says so, and leads on', async () => {
    const page = await signedIn(browser, server);
    await page.goto(`${server.url}/tody?tag=work`);
    await page.getByRole('heading', { name: 'There is no such page', level: 1 }).waitFor();
    expect(await page.title()).toContain('There is no such page');
    expect(await page.locator('[aria-current=page]').count()).toBe(0);
    await page.getByRole('link', { name: 'Go to today' }).click();
    await page.getByRole('heading', { name: 'Today', level: 1 }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('i');
    await page.getByRole('heading', { name: 'Inbox', level: 1 }).waitFor();
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  test('the palette finds tasks and actions by a few letters', async () => {
    const page = await signedIn(browser, server);
    await page.goto(`${server.url}/all`);
    await page.getByText('Call the plumber').waitFor();
    const field = page.getByRole('combobox', { name: 'Find a task or an action' });
    await page.keyboard.press('Control+k');
    await field.waitFor();
    await page.keyboard.type('plumb');
    await page.getByRole('option', { name: 'Call the plumber', selected: true }).waitFor();
    await screenshot(page, 'palette-1280-light');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\?task=/);
    await page.keyboard.press('Control+k');
    await field.waitFor();
    await typedAtOnce(field, 'go done');
    await page.getByRole('heading', { name: 'Done', level: 1 }).waitFor();
    await page.keyboard.press('Control+k');
    await field.waitFor();
    await page.keyboard.type('add');
    await page.getByRole('option', { name: /^Add a task/, selected: true }).waitFor();
    await page.keyboard.press('Enter');
    await page.keyboard.type('typed at once');
    expect(await page.getByRole('textbox', { name: 'Add a task' }).inputValue()).toBe('typed at once');
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });
});
