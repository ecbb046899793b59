/**
 * What a screen reader is told, by the accessibility tree that Chromium hands to it: where one is, what is there and
 * how much of it, what has just happened, and nothing else while a dialog is open. Names of controls are axe's part
 * (looks.e2e.ts).
 *
 * [Task]: T006, T062
 */
import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { complaintsOf, launch, signedIn } from './browser';
import { Network } from './network';
import { Server } from './server';

interface Node {
  role: string;
  name: string;
  properties: Record<string, unknown>;
  /** All text in it. */
  text: string;
}

/** The tree as it is now, in the order in which it is read, without what is hidden from it. */
async function tree(session: CDPSession): Promise<Node[]> {
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  const by = new Map(nodes.map((node) => [node.nodeId, node]));
  const textOf = (id: string): string => {
    const node = by.get(id);
    if (node?.role?.value === 'StaticText') return String(node.name?.value);
    return (node?.childIds ?? []).map(textOf).join(' ');
  };
  const read = (id: string): typeof nodes => {
    const node = by.get(id);
    return node ? [node, ...(node.childIds ?? []).flatMap(read)] : [];
  };
  return read(nodes[0]?.nodeId ?? '')
    .filter((node) => !node.ignored)
    .map((node) => ({
      role: String(node.role?.value),
      name: String(node.name?.value ?? ''),
      properties: Object.fromEntries((node.properties ?? []).map(({ name, value }) => [name, value.value])),
      text: textOf(node.nodeId),
    }));
}

describe.skipIf(!inject('chromium'))('what is spoken', () => {
  let server: Server;
  let browser: Browser;
  let page: Page;
  let network: Network;
  let session: CDPSession;

  beforeAll(async () => {
    server = await Server.start();
    browser = await launch();
    const body = (i: number) => ({ title: `Task ${i}`, tags: ['home'] });
    const changes = Array.from({ length: 200 }, (_, i) => ({ op: 'create', body: body(i) }));
    await server.api('POST', '/api/tasks/batch', { changes });
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });
  beforeEach(async () => {
    page = await signedIn(browser, server);
    network = await Network.of(page.context());
    await page.goto(`${server.url}/all`);
    await page.getByText('200 tasks').waitFor();
    session = await page.context().newCDPSession(page);
    return async () => {
      expect(complaintsOf(page)).toEqual([]);
      await page.context().close();
    };
  });

  const all = async (role: string) => (await tree(session)).filter((node) => node.role === role);
  const names = async (role: string) => (await all(role)).map(({ name }) => name);
  /** What live regions say: a screen reader reads it out when it appears there. */
  const said = async () =>
    (await tree(session))
      .filter(({ properties }) => properties.live === 'polite' || properties.live === 'assertive')
      .map(({ text }) => text.replace(/[\u2068\u2069]/g, ''))
      .join('\n');
  const levels = async () =>
    (await all('heading')).map(({ name, properties: { level } }) => `${String(level)} ${name}`);

  test('where one is, and how long the list is, though few of its rows are drawn', async () => {
    expect(await names('navigation')).toEqual(['Views']);
    expect(await names('search')).toEqual(['Search and filter']);
    expect(await all('main')).toHaveLength(1);
    expect(await levels()).toEqual(['2 Filters', '2 Tags', '1 All', '2 No date']);
    expect(await names('grid')).toEqual(['All']);
    const rows = await names('row');
    expect(rows[0]).toMatch(/^No date/);
    expect(rows[1]).toBe('Task 0, #home');
    expect(rows.length).toBeLessThan(60);
    const grid = page.getByRole('grid', { name: 'All' });
    expect(await grid.getAttribute('aria-rowcount')).toBe('201'); // with the heading
    expect(await page.getByRole('row', { name: 'Task 7,' }).getAttribute('aria-rowindex')).toBe('9');
    await page.getByRole('row', { name: 'Task 0,' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'History' }).waitFor();
    expect(await names('complementary')).toEqual(['Task']);
    expect((await levels()).slice(4)).toEqual([
      '2 Task',
      '3 Due',
      '3 Repeat',
      '3 Reminders',
      '3 Priority',
      '3 Tags',
      '3 History',
    ]);
  });

  test('another list and a panel are said, what others change is not, and the focus is never lost', async () => {
    const first = page.getByRole('row', { name: 'Task 1,' });
    await first.focus();
    expect(await first.getAttribute('aria-selected')).toBeNull(); // or each step says “not selected”
    await page.keyboard.press('Enter');
    await expect.poll(said).toContain('Open beside the list.');
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('d');
    await expect.poll(said).toContain('0 in Done');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('tasks');
    await page.keyboard.press('g');
    await page.keyboard.press('a');
    await expect.poll(said).toContain('200 in All');

    const body = { title: 'From elsewhere', due_date: '2031-01-01', recurrence_pattern: 'weekly' };
    const { id } = (await (await server.api('POST', '/api/tasks', body)).json()) as { id: string };
    await page.getByText('201 tasks').waitFor();
    expect(await said()).not.toContain('201');
    const row = page.getByRole('row', { name: /^From elsewhere, Due .*2031, 1 reminder$/ });
    const repeats = page.locator(`[id="${await row.getAttribute('aria-describedby')}"]`);
    expect(await repeats.textContent()).toMatch(/^Repeats.*week/i);
    await server.api('DELETE', `/api/tasks/${id}`);
    await page.getByText('200 tasks').waitFor();
  });

  test('keys that write something are shortcuts only as long as the user wants them to be', async () => {
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    await page.keyboard.press('q');
    expect(await focused()).toBe('Add a task');
    await page.goto(`${server.url}/settings`);
    await page.getByRole('switch', { name: 'Letters, digits and signs as shortcuts' }).click();
    await page.goto(`${server.url}/all`);
    await page.getByRole('row', { name: 'Task 1,' }).focus();
    await page.keyboard.press('q');
    expect(await focused()).toMatch(/^Task 1,/);
    await page.keyboard.press('ArrowDown');
    await expect.poll(focused).toMatch(/^Task 2,/);
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog', { name: 'Find a task or an action' }).waitFor();
  });

  test('an open dialog is all there is, and after it the focus is where it was', async () => {
    await page.getByRole('row', { name: 'Task 3,' }).focus();
    for (const [key, name] of [
      ['d', 'Date of “Task 3”'],
      ['t', 'Tags of “Task 3”'],
      ['?', 'Keyboard shortcuts'],
      ['Control+k', 'Find a task or an action'],
    ] as const) {
      await page.keyboard.press(key);
      await page.getByRole('dialog', { name }).waitFor();
      const [dialog, ...others] = await all('dialog');
      expect(dialog).toMatchObject({ name: expect.stringContaining(name.slice(0, 7)) as string });
      expect(dialog?.properties.modal, name).toBe(true);
      expect(others).toEqual([]);
      expect(await all('grid')).toEqual([]);
      expect(await all('banner')).toEqual([]);
      expect(await levels()).toContainEqual(expect.stringMatching(/^2 /));
      expect(await page.evaluate(() => document.activeElement?.closest('dialog') !== null)).toBe(true);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toMatch(
        /^Task 3,/,
      );
    }
  });

  test('what was done, taken back, added, found, waits and was refused is said without being asked for', async () => {
    await page.getByRole('checkbox', { name: 'Complete “Task 0”' }).click();
    await expect.poll(said).toContain('Completed “Task 0”');
    await page.keyboard.press('u');
    await expect.poll(said).toContain('Taken back: Completed “Task 0”');
    await page.keyboard.press('q');
    await page.keyboard.type('Call Anna tomorrow');
    await expect.poll(said).toContain('Tomorrow');
    const line = page.getByRole('textbox', { name: 'Add a task' });
    expect(await line.getAttribute('aria-describedby')).toBeNull(); // or the same is said twice
    await page.keyboard.press('Enter');
    await expect.poll(said).toContain('Added “Call Anna”');
    await page.getByRole('searchbox', { name: 'Search' }).fill('Task 19');
    await expect.poll(said).toContain('11 in All');
    await page.getByRole('row', { name: 'Task 19,' }).focus();
    await page.keyboard.press('x');
    await expect.poll(said).toContain('1 selected');
    await page.keyboard.press('x');
    await expect.poll(said).toContain('0 selected');
    await page.keyboard.press('x');
    await expect.poll(said).toContain('1 selected');
    network.answer((request) =>
      request.method() === 'PATCH' ? { status: 409, body: { status: 409, code: 'list_full' } } : undefined,
    );
    await page.keyboard.press('1');
    await expect.poll(said).toContain('A change was refused.');
    await network.cut();
    await page.keyboard.press('3');
    await expect.poll(said).toMatch(/Not connected.*1 change waits/s);
    network.heal();
    await page.getByRole('button', { name: 'Try now' }).click();
    await expect.poll(said).toContain('working as usual');
  });
});
