/**
 * On a phone, in a low window and in a browser without anchor positioning: what is at hand, and what covers what.
 *
 * [Task]: T006, T062
 */
import type { Locator, Page } from 'playwright-core';
import { describe, expect, inject, test } from 'vitest';
import type { Task } from '../src/replica/types';
import { complaintsOf, openSite, screenshot, signedIn } from './browser';

describe.skipIf(!inject('chromium'))('little room', () => {
  const site = openSite();

  const make = async (body: unknown) =>
    (await (await site.server.api('POST', '/api/tasks', body)).json()) as Task;
  const boxOf = async (what: Locator) => {
    await what.waitFor();
    await what.evaluate((e) =>
      Promise.all([e, e.parentElement].flatMap((it) => it?.getAnimations() ?? []).map((a) => a.finished)),
    );
    const box = await what.boundingBox();
    if (!box) throw new Error('it is not drawn');
    return box;
  };
  const done = async (page: Page) => {
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  };

  test('the account and the inbox are at the top of every page of a phone, in the same place', async () => {
    const page = await signedIn(site.browser, site.server, { width: 390 });
    const places: unknown[] = [];
    for (const path of ['today', 'inbox', 'settings', 'security', 'people', 'activity', 'nowhere']) {
      await page.goto(`${site.server.url}/${path}`);
      const main = page.getByRole('main');
      await main.getByRole('heading', { level: 1 }).waitFor();
      await main.getByRole('link', { name: 'Inbox', exact: true }).waitFor();
      places.push(await boxOf(main.getByRole('button', { name: 'Account', exact: true })));
    }
    expect(new Set(places.map((box) => JSON.stringify(box))).size).toBe(1);
    await page.getByRole('button', { name: 'Account', exact: true }).tap();
    await page.getByRole('menuitem', { name: 'Settings' }).tap();
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
    await done(page);
  });

  test('how people are let in is not broken at the hyphens of what is to be typed', async () => {
    const page = await signedIn(site.browser, site.server, { width: 390 });
    await page.goto(`${site.server.url}/people`);
    const typed = page.getByText('Nobody can sign up here').getByRole('code');
    await expect.poll(() => typed.allInnerTexts()).toEqual(['--sign-up invitation', '--sign-up open']);
    for (const flag of await typed.all())
      expect(await flag.evaluate((e) => e.getClientRects().length)).toBe(1); // lines
    await screenshot(page, 'people-closed-390-light');
    await done(page);
  });

  test.each(['no-preference', 'reduce'] as const)(
    'an editor that opens below what the panel shows is brought into sight, motion: %s',
    async (reducedMotion) => {
      const page = await signedIn(site.browser, site.server);
      const { id } = await make({ title: 'Far down', description: 'line\n\n'.repeat(12) });
      await page.setViewportSize({ width: 1280, height: 560 });
      await page.emulateMedia({ reducedMotion });
      await page.goto(`${site.server.url}/all?task=${id}`);
      const panel = page.getByRole('complementary', { name: 'Task' });
      const repeat = panel.getByRole('button', { name: /^Repetition/ });
      await repeat.evaluate((button) => button.scrollIntoView({ block: 'end' }));
      await repeat.click();
      const editor = panel.getByRole('group', { name: 'Repeat' });
      await editor.waitFor();
      await expect
        .poll(async () => {
          const { y, height } = await boxOf(editor);
          return y + height;
        })
        .toBeLessThanOrEqual(560);
      expect((await boxOf(editor)).y).toBeGreaterThan(0);
      await done(page);
    },
  );

  test.each([
    [320, 600],
    [640, 360],
  ])(
    'in a window of %i × %i px the whole filter can be reached, and the list stays in sight',
    async (width, height) => {
      const tags = Array.from({ length: 12 }, (_, i) => `a-tag-of-some-length-${i}`);
      const { id } = await make({ title: 'With many tags', tags });
      const page = await signedIn(site.browser, site.server);
      await page.setViewportSize({ width, height });
      await page.goto(`${site.server.url}/all`);
      await page.getByRole('button', { name: 'Filter', exact: true }).click();
      await page.getByRole('checkbox', { name: '#a-tag-of-some-length-11' }).check();
      await page.getByText('1 task', { exact: true }).waitFor({ state: 'attached' });
      const list = await boxOf(page.locator('main > :has(> [role=grid])'));
      const navigation = await boxOf(page.getByRole('navigation', { name: 'Views' }));
      expect(list.height).toBeGreaterThan(100);
      expect(list.y + list.height).toBeLessThanOrEqual(navigation.y);
      await site.server.api('DELETE', `/api/tasks/${id}`);
      await done(page);
    },
  );

  test('where nothing can be anchored, a toast still stands clear of the bar of selected tasks', async () => {
    const page = await signedIn(site.browser, site.server);
    await page.context().addInitScript(() => {
      CSS.supports = () => false;
    });
    await page.context().route('**/*.css', async (route) => {
      const answer = await route.fetch();
      const body = (await answer.text()).replace('@supports (anchor-name', '@supports (nothing-has');
      await route.fulfill({ response: answer, body });
    });
    await make({ title: 'First' });
    await make({ title: 'Second' });
    await page.goto(`${site.server.url}/all`);
    await page.getByRole('row', { name: 'First' }).focus();
    await page.keyboard.press('x');
    const bar = page.getByRole('region', { name: 'Selected tasks' });
    await bar.waitFor();
    await page.keyboard.press('1'); // a priority, for a toast
    const toast = page.getByRole('button', { name: 'Undo', exact: true }).locator('xpath=../..');
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 700 });
      const [above, below] = [await boxOf(toast), await boxOf(bar)];
      expect(above.y + above.height, `${width} px`).toBeLessThanOrEqual(below.y);
      expect(above.y + above.height, `${width} px`).toBeGreaterThan(below.y - 40);
      await toast.hover(); // so that it stays
    }
    await done(page);
  });
});
