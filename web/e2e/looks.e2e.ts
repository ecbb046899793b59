/**
 * Every view, light and dark, wide and on a phone: axe finds nothing, nothing needs sideways scrolling down to 320 px (which
 * is 1280 px at 400 %), every control is large enough to hit, the focus shows, and motion stops for who wants none.
 *
 * [Task]: T006, T062
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { violationsOn } from './axe';
import { complaintsOf, launch, screenshot, signedIn } from './browser';
import { fill, moment } from './person';
import { Server } from './server';
import { everyView, show, type Shown } from './views';

describe.skipIf(!inject('chromium'))('the look', () => {
  let server: Server;
  let browser: Browser;
  let views: Shown[];

  beforeAll(async () => {
    server = await Server.start();
    views = everyView(await fill(server));
    const launched = await launch();
    if (!launched) throw new Error('Chromium did not start');
    browser = launched;
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  async function onEach(page: Page, check: (view: Shown) => Promise<void>): Promise<void> {
    await page.clock.setFixedTime(moment);
    for (const view of views) {
      await show(page, server.url, view);
      await check(view);
    }
    expect(complaintsOf(page)).toEqual([]);
    await page.context().close();
  }

  test.each([
    [1280, 'light'],
    [1280, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const)('%i px, %s: axe finds nothing', async (width, scheme) => {
    const page = await signedIn(browser, server, { width, scheme });
    await onEach(page, async (view) => {
      await screenshot(page, `${view.name}-${width}-${scheme}`);
      expect(await violationsOn(page), view.name).toEqual([]);
    });
  });

  test.each([1280, 640, 360, 320])('%i px: nothing is cut off, and everything can be hit', async (width) => {
    const page = await signedIn(browser, server);
    await page.setViewportSize({ width, height: width > 640 ? 800 : 640 });
    await onEach(page, async (view) => {
      expect(await page.evaluate(tooWide), view.name).toEqual([]);
      expect(await page.evaluate(tooSmall), view.name).toEqual([]);
    });
  });

  test('the focus can be seen on everything that Tab reaches', async () => {
    const page = await signedIn(browser, server);
    await page.goto(`${server.url}/today`);
    await page.getByText('Renew the passport').first().waitFor();
    for (let i = 0; i < 25; i++) {
      await page.keyboard.press('Tab');
      expect(await page.evaluate(focusShows), `after ${i + 1} times Tab`).toBe('shows');
    }
    await page.context().close();
  });

  test('with reduced motion nothing moves; with forced colours a chosen switch still differs', async () => {
    const page = await signedIn(browser, server);
    await page.emulateMedia({ reducedMotion: 'reduce', forcedColors: 'active' });
    await onEach(page, async (view) => {
      const longest = await page.evaluate(() =>
        Math.max(0, ...document.getAnimations().map((a) => Number(a.effect?.getTiming().duration ?? 0))),
      );
      expect(longest, view.name).toBeLessThanOrEqual(1);
    });
  });
});

// The following run in the page.

/** What reaches beyond the screen sideways, unless it is cut off on purpose or hidden. */
function tooWide(): string[] {
  const wide = [...document.querySelectorAll<HTMLElement>('body *')].filter((e) => {
    const box = e.getBoundingClientRect();
    return e.checkVisibility({ opacityProperty: true }) && box.width > 1 && box.right > innerWidth + 1;
  });
  return wide.filter((e) => !e.closest('.truncate, .sr-only')).map((e) => e.outerHTML.slice(0, 120));
}

/** Controls below 24 × 24 px (WCAG 2.5.8). Links and buttons within a sentence may be smaller. */
function tooSmall(): string[] {
  const controls = document.querySelectorAll<HTMLElement>(
    'a, button, input, select, summary, [role=menuitem]',
  );
  const small = [...controls].filter((e) => {
    const box = e.getBoundingClientRect();
    const shown = e.checkVisibility() && box.width > 0 && box.bottom > 0;
    return shown && (Math.round(box.width) < 24 || Math.round(box.height) < 24);
  });
  return small.map((e) => `${e.offsetWidth}×${e.offsetHeight} ${e.outerHTML.slice(0, 120)}`);
}

/** Whether what has the focus, or what stands for it, has an outline or another border than without. */
function focusShows(): string {
  const focused = document.activeElement as HTMLElement | null;
  if (!focused || focused === document.body) return 'shows'; // the focus is in the browser's own controls
  const stands = [focused, focused.nextElementSibling, focused.parentElement].filter((e) => e !== null);
  const marked = stands.some((e) => {
    const style = getComputedStyle(e);
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  });
  const accent = getComputedStyle(document.documentElement).getPropertyValue('accent-color');
  const bordered =
    focused.closest('form') && getComputedStyle(focused.closest('form') as Element).borderTopColor === accent;
  return marked || bordered ? 'shows' : focused.outerHTML.slice(0, 160);
}
