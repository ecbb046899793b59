/**
 * Adding and changing tasks in a real browser: quick add with what was understood, keys alone, many at once, ten
 * thousand, and a phone.
 *
 * [Task]: T062, T069
 */
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { complaintsOf, launch, screenshot, signedIn } from './browser';
import { Server } from './server';

interface Task {
  id: string;
  title: string;
  status: string;
  priority: string;
  tags: string[];
  due_date: string | null;
  recurrence_pattern: string | null;
}

/** How many tabs the client sees as open; runs in the page. */
async function openTabs(): Promise<number> {
  const { held = [] } = await navigator.locks.query();
  return held.filter(({ name }) => name?.startsWith('docket-tab-')).length;
}

describe.skipIf(!inject('chromium'))('tasks', () => {
  let server: Server;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await launch();
  });
  beforeEach(async () => {
    server = await Server.start();
    return async () => {
      expect(complaintsOf(page)).toEqual([]);
      await page.context().close();
      await server.stop();
    };
  });
  afterAll(() => browser.close());

  const add = (...bodies: object[]) =>
    server.api('POST', '/api/tasks/batch', { changes: bodies.map((body) => ({ op: 'create', body })) });
  const stored = async (title: string) => {
    const all = (await (await server.api('GET', '/api/tasks?limit=200')).json()) as Task[];
    return all.find((task) => task.title === title);
  };
  /** Waits until the server has every change that the page has made. */
  const sent = (title: string, want: Partial<Task>) =>
    expect.poll(() => stored(title), { timeout: 10_000 }).toMatchObject(want);
  const row = (title: string) => page.getByRole('row', { name: title });
  /** Where something is drawn, moving no more. */
  const boxOf = async (what: Locator) => {
    await what.waitFor();
    await what.evaluate((e) =>
      Promise.all([e, e.parentElement].flatMap((it) => it?.getAnimations() ?? []).map((a) => a.finished)),
    );
    return (await what.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  };
  /** The toast of what was done last stands clear of the bar, and can be read whole. */
  const clearOfBar = async (told: string) => {
    const toast = await boxOf(page.getByText(told).locator('xpath=../..'));
    const bar = await boxOf(page.getByRole('region', { name: 'Selected tasks' }));
    expect(toast.y + toast.height, told).toBeLessThanOrEqual(bar.y);
    expect(toast.y, told).toBeGreaterThan(0);
  };
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');

  test('quick add shows what was understood, drops a part by key or click, and adds what it shows', async () => {
    page = await signedIn(browser, server);
    await page.keyboard.press('q');
    await page.keyboard.type('Call Anna tomorrow at 5pm #family !high');
    const parts = page.getByRole('list', { name: 'Understood' });
    await parts.getByRole('button', { name: /^#family/ }).waitFor();
    expect(await parts.getByRole('button').count()).toBe(4);
    await screenshot(page, 'quickadd-1280-light');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter'); // the time
    await parts.getByRole('button', { name: '“at 5pm” is text: understand it again' }).waitFor();
    await parts.getByRole('button', { name: /^Tomorrow/ }).click();
    await parts.getByRole('button', { name: 'Today: leave out' }).waitFor();
    await page.keyboard.press('Enter');
    await row('Call Anna tomorrow at 5pm').waitFor();
    await sent('Call Anna tomorrow at 5pm', { tags: ['family'], priority: 'high' });

    await page.keyboard.type('Pay rent every month on the 1st'); // the next can be typed at once
    await page.keyboard.press('Enter');
    await page.getByText('Added “Pay rent”. This list does not show it.').waitFor();
    expect(await page.getByRole('button', { name: 'Undo' }).count()).toBe(1); // one toast says all
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByText('Every month').or(page.getByText('every month')).first().waitFor();
    await sent('Pay rent', { recurrence_pattern: 'monthly' });

    await page.getByRole('textbox', { name: 'Add a task' }).fill('#only !high');
    await page.keyboard.press('Enter');
    await page.getByText('This has no title: write what is to be done, too.').waitFor();
    expect(await page.getByRole('textbox', { name: 'Add a task' }).inputValue()).toBe('#only !high');
  });

  test('without a connection what is typed is added as plain text, in the list it was typed in', async () => {
    page = await signedIn(browser, server);
    await page.context().setOffline(true);
    await page.getByRole('textbox', { name: 'Add a task' }).fill('Call Anna tomorrow');
    await page.keyboard.press('Enter');
    await row('Call Anna tomorrow').waitFor();
    await page.context().setOffline(false);
    await sent('Call Anna tomorrow', { recurrence_pattern: null });
    expect((await stored('Call Anna tomorrow'))?.due_date).toHaveLength('2026-03-31'.length);
  });

  test('keys alone: add, move, edit, priority, complete, undo, date', async () => {
    page = await signedIn(browser, server);
    await add({ title: 'One' }, { title: 'Two' }, { title: 'Three' });
    await page.keyboard.press('g');
    await page.keyboard.press('a');
    await row('Three').waitFor();
    await page.keyboard.press('q');
    await page.keyboard.type('Four');
    await page.keyboard.press('Enter');
    await row('Four').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    expect(await focused()).toMatch(/^One/);
    await page.keyboard.press('j');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('k');
    expect(await focused()).toMatch(/^Two/);
    await page.keyboard.press('e');
    await page.keyboard.press('Control+a');
    await page.keyboard.type('Two, edited');
    await page.keyboard.press('Enter');
    await row('Two, edited').waitFor();
    await page.keyboard.press('1');
    await page.getByRole('row', { name: 'Two, edited, High priority' }).waitFor();
    await page.keyboard.press('Space');
    await row('Two, edited').waitFor({ state: 'detached' });
    expect(await focused()).toMatch(/^Three/); // the focus is on the task that took its place
    await sent('Two, edited', { status: 'completed', priority: 'high' });
    await page.keyboard.press('u');
    await row('Two, edited').waitFor();
    await sent('Two, edited', { status: 'pending' });
    expect(await focused()).toMatch(/^Three/); // nor does undo take the focus away
    await page.keyboard.press('d');
    await page.getByRole('dialog', { name: 'Date of “Three”' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('row', { name: /^Three, Due Today/ }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await screenshot(page, 'help-1280-light');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('Enter');
    await page.waitForURL(/[?&]task=/);
    await page.getByRole('button', { name: 'Close the task' }).waitFor();
    expect(await focused()).toMatch(/^Three/); // the list stays in use
    await page.keyboard.press('Enter');
    expect(await focused()).toBe('Close the task');
    await page.keyboard.press('Escape');
    await page.waitForURL((url) => !url.search.includes('task='));
    expect(await focused()).toMatch(/^Three/);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Close the task' }).waitFor();
    await page.keyboard.press('Escape'); // from the list
    await page.getByRole('button', { name: 'Close the task' }).waitFor({ state: 'detached' });
    expect(await focused()).toMatch(/^Three/);
  });

  test('u takes back what was done before a reload or in a closed tab, not what another open tab does', async () => {
    page = await signedIn(browser, server);
    await add({ title: 'One' }, { title: 'Two' });
    await page.goto(`${server.url}/all`);
    await row('Two').waitFor();
    /** Completes a task by key, until the page says so: then it can be taken back. */
    const complete = async (title: string) => {
      await row(title).focus();
      await page.keyboard.press('Space');
      await row(title).waitFor({ state: 'detached' });
      await page.getByText(`Completed “\u2068${title}\u2069”`, { exact: true }).waitFor();
    };
    const undone = (title: string) =>
      page.getByText(`Taken back: Completed “\u2068${title}\u2069”`, { exact: true }).waitFor();

    await complete('One');
    await page.reload();
    await row('Two').waitFor();
    await page.keyboard.press('u');
    await undone('One');
    await sent('One', { status: 'pending' });

    await complete('Two');
    const [first, other] = [page, await page.context().newPage()];
    page = other;
    await page.goto(`${server.url}/all`);
    await complete('One');
    await page.keyboard.press('u');
    await undone('One');
    await page.keyboard.press('u'); // nothing more is this tab's
    await complete('One');
    await sent('Two', { status: 'completed' });

    await first.close();
    await expect.poll(() => other.evaluate(openTabs)).toBe(1);
    page = await other.context().newPage();
    await page.goto(`${server.url}/all`);
    await page.getByText('Everything is done.').waitFor();
    await page.keyboard.press('u');
    await undone('Two');
    await sent('One', { status: 'completed' });
    await sent('Two', { status: 'pending' });
  });

  test('many at once: by key, by Shift and click, and by group', async () => {
    page = await signedIn(browser, server);
    await add(...Array.from({ length: 8 }, (_, i) => ({ title: `Task ${i}`, tags: ['old'] })));
    await page.goto(`${server.url}/all`);
    await row('Task 0').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Shift+J');
    const bar = page.getByRole('region', { name: 'Selected tasks' });
    await bar.getByText('3 selected').waitFor();
    expect(await row('Task 1').getAttribute('aria-selected')).toBe('true');
    await screenshot(page, 'bulk-1280-light');
    await bar.getByRole('button', { name: 'Tags' }).click();
    await page.getByRole('dialog', { name: 'Tags of 3 tasks' }).waitFor();
    await page.keyboard.type('new');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: '#new', pressed: true }).waitFor();
    await page.keyboard.press('Escape');
    await bar.getByRole('button', { name: 'Priority' }).click();
    expect(await bar.getByText('Priority').isVisible()).toBe(true);
    await page.getByRole('menuitem', { name: 'High priority' }).click();
    await clearOfBar('Changed the priority of 3 tasks');
    await sent('Task 2', { tags: ['old', 'new'], priority: 'high' });
    await sent('Task 3', { tags: ['old'], priority: 'medium' });
    await bar.getByRole('button', { name: 'Complete' }).click();
    await bar.waitFor({ state: 'detached' });
    await page.getByText('5 tasks').waitFor();
    await page.keyboard.press('u'); // one step takes all three back
    await page.getByText('8 tasks').waitFor();
    await page.keyboard.press('j');
    await row('Task 0').click({ modifiers: ['ControlOrMeta'], position: { x: 400, y: 8 } });
    await row('Task 2').click({ modifiers: ['Shift'], position: { x: 400, y: 8 } });
    await bar.getByRole('button', { name: 'Complete' }).click();
    await page.getByText('5 tasks').waitFor();

    await row('Task 4').click({ modifiers: ['ControlOrMeta'], position: { x: 400, y: 8 } });
    await row('Task 6').click({ modifiers: ['Shift'], position: { x: 400, y: 8 } });
    await bar.getByText('3 selected').waitFor();
    await page.keyboard.press('Escape');
    await bar.waitFor({ state: 'detached' });
    await row('Task 4').focus();
    await page.keyboard.press('Shift+X');
    await bar.getByText('5 selected').waitFor();
    await bar.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Everything is done.').waitFor();
    await expect.poll(() => stored('Task 7')).toBeUndefined();
  });

  test('ten thousand tasks: the list scrolls, keeps the focus, and draws only what is in sight', async () => {
    for (let from = 0; from < 10_000; from += 200)
      await add(
        ...Array.from({ length: 200 }, (_, i) => ({ title: `Task ${from + i}`, tags: [`t${i % 7}`] })),
      );
    page = await signedIn(browser, server);
    await page.goto(`${server.url}/all`);
    await page.getByText('10,000 tasks').waitFor();
    await page.keyboard.press('j');
    expect(await focused()).toMatch(/^Task 0,/);
    const long = await page.evaluate(async () => {
      const scroller = document.querySelector('[role="grid"]')?.parentElement;
      if (!scroller) throw new Error('no list');
      const frames: number[] = [];
      let last = performance.now();
      for (let top = 0; top < 60_000; top += 300) {
        scroller.scrollTop = top;
        await new Promise(requestAnimationFrame);
        frames.push(performance.now() - last);
        last = performance.now();
      }
      return {
        frames: frames.length,
        over50: frames.filter((f) => f > 50).length,
        worst: Math.max(...frames),
      };
    });
    console.log(`scrolling 10,000 tasks: ${JSON.stringify(long)}`);
    expect(await page.getByRole('row').count()).toBeLessThan(80);
    expect(await focused()).toMatch(/^Task 0,/); // its row is far away, and still there
    await page.keyboard.press('j');
    expect(await focused()).toMatch(/^Task 1,/);
    await page.keyboard.press('End');
    await row('Task 9999').waitFor();
    expect(await row('Task 9999').getAttribute('aria-rowindex')).toBe('10001');
    expect(await page.getByRole('grid').getAttribute('aria-rowcount')).toBe('10001');
    await page.keyboard.press('/');
    await page.keyboard.type('Task 987');
    await page.getByText('11 tasks').waitFor();
  });

  test('on a phone: add, select, change, and the lists', async () => {
    page = await signedIn(browser, server, { width: 390 });
    await add({ title: 'Water the plants', tags: ['home'], priority: 'high' }, { title: 'Read' });
    await page.goto(`${server.url}/all`);
    await row('Read').waitFor();
    const more = page.getByRole('button', { name: 'More for “Water the plants”' });
    await more.tap();
    await page.getByRole('menuitemradio', { name: 'High priority', checked: true }).waitFor();
    await screenshot(page, 'row-menu-390-light');
    await page.getByRole('menuitemradio', { name: 'Low priority', checked: false }).tap();
    await row('Water the plants, Low priority').waitFor();
    await more.press('Enter'); // as with a keyboard
    await page.getByRole('menuitemradio', { name: 'Low priority', checked: true }).waitFor();
    await page.keyboard.press('m');
    await page.getByRole('menuitemradio', { name: 'Medium priority' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.press('Enter');
    await row('Water the plants, #home').waitFor();
    await more.tap();
    await page.getByRole('menuitem', { name: 'Select' }).tap();
    await row('Read').tap({ position: { x: 200, y: 8 } });
    const bar = page.getByRole('region', { name: 'Selected tasks' });
    await bar.getByText('2 selected').waitFor();
    await screenshot(page, 'bulk-390-light');
    await bar.getByRole('button', { name: 'Date' }).tap();
    await page.getByRole('button', { name: /^Tomorrow/ }).tap();
    await clearOfBar('Changed the date of 2 tasks');
    await page.getByRole('heading', { name: 'Tomorrow' }).waitFor();
    await page.getByRole('button', { name: 'Lists' }).tap();
    await page.getByRole('dialog', { name: 'Lists' }).getByRole('link', { name: 'home 1' }).tap();
    await page.getByRole('heading', { name: '#home', level: 1 }).waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(390);
  });
});
