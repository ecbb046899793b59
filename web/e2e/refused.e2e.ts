/**
 * What goes wrong between the page and the server: nothing that the user wrote is lost, and they are told what to do.
 *
 * [Task]: T061
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { complaintsOf, launch, signedIn } from './browser';
import { Network, type Instead } from './network';
import { Server } from './server';

describe.skipIf(!inject('chromium'))('what goes wrong', () => {
  let server: Server;
  let browser: Browser;
  let page: Page;
  let network: Network;

  beforeAll(async () => {
    server = await Server.start();
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });
  beforeEach(async () => {
    page = await signedIn(browser, server);
    page.setDefaultTimeout(20_000);
    network = await Network.of(page.context());
    await page.goto(`${server.url}/all`);
  });
  afterEach(async () => {
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  });

  const titles = async (search: string): Promise<string[]> => {
    const found = await server.api('GET', `/api/tasks?search=${encodeURIComponent(search)}`);
    return ((await found.json()) as { title: string }[]).map((t) => t.title);
  };
  const quickAdd = () => page.getByRole('textbox', { name: 'Add a task' });
  async function add(text: string): Promise<void> {
    await quickAdd().fill(text);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: `Edit the title “${text}”` }).waitFor();
  }
  async function rename(from: string, to: string): Promise<void> {
    await page.getByRole('button', { name: `Edit the title “${from}”` }).click();
    await page.getByRole('textbox', { name: 'Title' }).fill(to);
    await page.keyboard.press('Enter');
  }
  /** Replaces the answer to changes of a kind. */
  const refuse = (method: string, instead: Instead) =>
    network.answer((request) =>
      request.method() === method && request.url().includes('/api/tasks') ? instead : undefined,
    );

  test('a task deleted elsewhere while it was renamed here can be brought back with its new name', async () => {
    await add('Sort the photos');
    await expect.poll(() => titles('Sort')).toHaveLength(1);
    await page.reload();
    await page.getByText('Sort the photos').waitFor();
    await network.cut();
    await rename('Sort the photos', 'Sort the photos of Lisbon');
    const [task] = (await (await server.api('GET', '/api/tasks?search=Sort')).json()) as { id: string }[];
    await server.api('DELETE', `/api/tasks/${task?.id}`);
    network.heal();
    await page.getByRole('button', { name: 'See what to do' }).click();
    const dialog = page.getByRole('dialog', { name: 'Refused changes' });
    await dialog.getByText('The task was deleted meanwhile.').waitFor();
    await dialog.getByText('Sort the photos of Lisbon', { exact: true }).waitFor();
    await page.reload(); // it is kept
    await page.getByRole('button', { name: 'See what to do' }).click();
    await dialog.getByRole('button', { name: 'Bring the task back and change it' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('Sort the photos of Lisbon', { exact: true }).waitFor();
    await expect.poll(() => titles('Sort')).toEqual(['Sort the photos of Lisbon']);
  });

  test.each<[number, string]>([
    [400, 'validation_failed'],
    [409, 'list_full'],
    [413, 'too_large'],
    [422, 'idempotency_key_reused'],
  ])('a new task refused with %i is kept, and can be added again', async (status, code) => {
    const title = `Refused with ${status}`;
    refuse('POST', { status, body: { status, code, detail: 'The server says why.' } });
    await quickAdd().fill(title);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'See what to do' }).click();
    const dialog = page.getByRole('dialog', { name: 'Refused changes' });
    await dialog.getByRole('heading', { name: title }).waitFor();
    network.pass();
    const again = dialog.getByRole('button', { name: 'Try again' });
    if (status === 400 || status === 413) {
      await dialog.getByRole('button', { name: 'Edit and add again' }).click();
      await expect.poll(() => quickAdd().inputValue()).toBe(title);
      await quickAdd().press('Enter');
    } else await again.click();
    await expect.poll(() => titles(title)).toEqual([title]);
    await page.getByText(title, { exact: true }).waitFor();
    await page.getByRole('button', { name: 'See what to do' }).waitFor({ state: 'detached' });
  });

  test('an edit that meets 412 again and again is held back, and goes when the user says so', async () => {
    await add('Never still');
    await expect.poll(() => titles('Never')).toHaveLength(1);
    refuse('PATCH', { status: 412, body: { status: 412, code: 'version_conflict' } });
    await rename('Never still', 'Never quite still');
    await page.getByRole('button', { name: 'See what to do' }).click();
    await page.getByText('Never still', { exact: true }).waitFor(); // the server's state shows
    network.pass();
    await page.getByRole('button', { name: 'Use my text' }).click();
    await expect.poll(() => titles('Never')).toEqual(['Never quite still']);
  });

  test('an edit refused with 409 shows what was typed and why, and can be made again', async () => {
    const said = 'Buy milk, bread & <b>butter</b> 🧈 — לחם';
    await add('Buy milk');
    await expect.poll(() => titles('Buy')).toHaveLength(1);
    refuse('PATCH', {
      status: 409,
      body: { status: 409, code: 'series_moved', detail: 'The server says why.' },
    });
    await rename('Buy milk', said);
    await page.getByRole('button', { name: 'Edit the title “Buy milk”' }).click();
    await page.getByRole('textbox', { name: 'Title' }).fill('typed since'); // while it is under way
    await page.getByRole('button', { name: 'See what to do' }).waitFor();
    expect(await page.getByRole('textbox', { name: 'Title' }).inputValue()).toBe('typed since');
    await page.keyboard.press('Escape');
    await page.reload(); // it is kept
    await page.getByText('Buy milk', { exact: true }).waitFor(); // the server's state shows
    await page.getByRole('button', { name: 'See what to do' }).click();
    const dialog = page.getByRole('dialog', { name: 'Refused changes' });
    await dialog.getByText('The server says why.').waitFor();
    await dialog.getByText(said, { exact: true }).waitFor();
    await dialog.getByRole('button', { name: 'Copy the text' }).waitFor();
    network.pass();
    await dialog.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => titles('Buy')).toEqual([said]);
    await page.getByText(said, { exact: true }).waitFor();
    await page.getByRole('button', { name: 'See what to do' }).waitFor({ state: 'detached' });
  });

  test.each<[string, Instead, string]>([
    ['500', { status: 500, body: { status: 500, code: 'internal' } }, 'The server has a problem'],
    ['silence', 'silence', 'Not connected'],
  ])('changes wait while the server answers with %s, and go out in order', async (name, instead, told) => {
    network.answer((request) => (request.method() === 'GET' ? undefined : instead));
    await add(`First, ${name}`);
    await add(`Second, ${name}`);
    await page.getByText(told).waitFor();
    await page.getByText('2 changes wait to be sent').waitFor();
    expect(await titles(name)).toEqual([]);
    network.pass();
    await page.getByRole('button', { name: 'Try now' }).click();
    await page.getByText(told).waitFor({ state: 'detached' });
    await expect.poll(() => titles(name)).toEqual([`Second, ${name}`, `First, ${name}`]); // newest first
  });

  test('a change on which the server fails each time is set aside with what follows it; others go on', async () => {
    await page.clock.install(); // between two tries are up to 15 s
    await page.goto(`${server.url}/all`);
    network.answer((request) =>
      request.method() === 'POST' && request.postData()?.includes('Poison')
        ? { status: 500, body: { status: 500, code: 'internal' } }
        : undefined,
    );
    await add('Poison');
    await page.getByRole('checkbox', { name: 'Complete “Poison”' }).click();
    await add('Behind it');
    const see = page.getByRole('button', { name: 'See what to do' });
    await expect
      .poll(async () => {
        await page.clock.fastForward(15_000);
        return see.count();
      })
      .toBe(1);
    await expect.poll(() => titles('Behind')).toEqual(['Behind it']);
    expect(await titles('Poison')).toEqual([]);
    await page.reload(); // it is kept
    await see.click();
    const dialog = page.getByRole('dialog', { name: 'Refused changes' });
    await dialog.getByRole('heading', { name: 'Poison' }).waitFor();
    await dialog.getByText('The server failed each time it was asked to do this.').waitFor();
    network.pass();
    await dialog.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => titles('Poison')).toEqual(['Poison']);
    await page.getByText('Poison', { exact: true }).waitFor({ state: 'detached' }); // it is done
    await see.waitFor({ state: 'detached' });
  });

  test('a session that ends while somebody types loses nothing', async () => {
    await add('Half a title');
    await quickAdd().pressSequentially('Half a sen');
    await page.getByRole('button', { name: 'Edit the title “Half a title”' }).click();
    await page.getByRole('textbox', { name: 'Title' }).fill('A whole title');
    const sessions = await page.context().cookies();
    await page.context().clearCookies();
    await page.keyboard.press('Enter');
    await page.getByText('You have been signed out.').waitFor();
    await page.context().addCookies(sessions); // as signing in again in another tab does
    await page.evaluate(() => new BroadcastChannel('docket-session').postMessage('signed in'));
    await page.getByText('A whole title', { exact: true }).waitFor();
    await expect.poll(() => quickAdd().inputValue()).toBe('Half a sen');
    await expect.poll(() => titles('title')).toEqual(['A whole title']);
  });

  test('signing out keeps what has not reached the server, and signing in again sends it', async () => {
    network.answer((request) =>
      request.method() === 'POST' && request.url().endsWith('/api/tasks') ? 'silence' : undefined,
    );
    await add('Not sent yet');
    await page.getByRole('button', { name: 'Account' }).first().click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByText('1 change has not reached the server yet.').waitFor();
    await page.getByRole('button', { name: 'Sign out, keep them here' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    network.pass();
    await page.goto(await server.newLink());
    await page.getByRole('link', { name: 'All' }).first().click();
    await page.getByText('Not sent yet').waitFor();
    await expect.poll(() => titles('Not sent')).toEqual(['Not sent yet']);
  });

  test('what is done is taken back, also without a network', async () => {
    await add('To be undone');
    await expect.poll(() => titles('undone')).toHaveLength(1);
    await page.reload();
    await page.getByText('To be undone').waitFor();
    await network.cut();
    await page.getByRole('checkbox', { name: 'Complete “To be undone”' }).click();
    await page.getByRole('button', { name: 'Edit the title “To be undone”' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo', exact: true }).click();
    await page.getByRole('button', { name: 'Edit the title “To be undone”' }).waitFor();
    await rename('To be undone', 'Renamed by mistake');
    await page.getByRole('button', { name: 'Undo', exact: true }).click();
    await page.getByRole('button', { name: 'Edit the title “To be undone”' }).waitFor();
    await page.getByRole('button', { name: 'Redo', exact: true }).click();
    await page.getByRole('button', { name: 'Edit the title “Renamed by mistake”' }).waitFor();
    network.heal();
    await expect.poll(() => titles('mistake')).toEqual(['Renamed by mistake']);
  });
});
