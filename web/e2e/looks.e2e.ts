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

describe.skipIf(!inject('chromium'))('the look', { timeout: 180_000 }, () => {
  let server: Server;
  let browser: Browser;
  let views: Shown[];

  beforeAll(async () => {
    server = await Server.start();
    views = everyView(await fill(server));
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  /** Goes through the views; what a check finds on any of them fails the test, all of it together. */
  async function onEach(page: Page, check: (view: Shown) => Promise<string[]>): Promise<void> {
    await page.clock.setFixedTime(moment);
    const found: string[] = [];
    for (const view of views) {
      await show(page, server.url, view);
      found.push(...(await check(view)).map((what) => `${view.name}: ${what}`));
    }
    expect([...found, ...complaintsOf(page)]).toEqual([]);
    await page.context().close();
  }

  test.each([1280, 390] as const)('%i px, light and dark: axe finds nothing', async (width) => {
    const page = await signedIn(browser, server, { width });
    await onEach(page, async (view) => {
      const found: string[] = [];
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await screenshot(page, `${view.name}-${width}-${colorScheme}`);
        found.push(...(await violationsOn(page)).map((what) => `${colorScheme}: ${what}`));
      }
      return found;
    });
  });

  test.each([1280, 640, 360, 320])('%i px: nothing is cut off, and everything can be hit', async (width) => {
    const page = await signedIn(browser, server);
    await page.setViewportSize({ width, height: width > 640 ? 800 : 640 });
    await onEach(page, async () => [...(await page.evaluate(tooWide)), ...(await page.evaluate(tooSmall))]);
  });

  test('the focus can be seen on everything that Tab reaches', async () => {
    const page = await signedIn(browser, server);
    await page.emulateMedia({ reducedMotion: 'reduce' }); // a colour on its way is none yet
    await page.goto(`${server.url}/today`);
    await page.getByText('Renew the passport').first().waitFor();
    for (let i = 0; i < 25; i++) {
      await page.keyboard.press('Tab');
      await expect
        .poll(() => page.evaluate(focusShows), { message: `after ${i + 1} times Tab` })
        .toBe('shows');
    }
    await page.context().close();
  });

  test('with reduced motion nothing moves', async () => {
    const page = await signedIn(browser, server);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await onEach(page, () => page.evaluate(moving));
  });
});

// The following run in the page.

/** What moves for longer than can be seen. */
function moving(): string[] {
  const lasting = document.getAnimations().filter((a) => Number(a.effect?.getTiming().duration ?? 0) > 1);
  return lasting.map((a) => ((a.effect as KeyframeEffect).target?.outerHTML ?? '').slice(0, 120));
}

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
    'a, button, input, select, summary, [role^=menuitem]',
  );
  const small = [...controls].filter((e) => {
    const box = e.getBoundingClientRect();
    const sentence = [...(e.parentElement?.childNodes ?? [])].some(
      (n) => n.nodeType === Node.TEXT_NODE && n.textContent?.trim(),
    );
    // A control that a label stands for is hit there; a link off the screen comes when it has the focus.
    const shown = e.checkVisibility() && box.width > 1 && box.bottom > 0;
    return shown && !sentence && (Math.round(box.width) < 24 || Math.round(box.height) < 24);
  });
  return small.map((e) => `${e.offsetWidth}×${e.offsetHeight} ${e.outerHTML.slice(0, 120)}`);
}

/** Whether what has the focus, or what stands for it, has an outline, or stands in a frame of the accent's colour. */
function focusShows(): string {
  const focused = document.activeElement as HTMLElement | null;
  if (!focused || focused === document.body) return 'shows'; // the focus is in the browser's own controls
  const probe = document.body.appendChild(document.createElement('i'));
  probe.style.color = 'var(--color-accent)';
  const accent = getComputedStyle(probe).color;
  probe.remove();
  const around = [focused.parentElement, focused.parentElement?.parentElement, focused.closest('form')];
  const outlined = [focused, focused.nextElementSibling, focused.parentElement].some((e) => {
    const style = e && getComputedStyle(e);
    return style && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  });
  const framed = around.some((e) => {
    const style = e && getComputedStyle(e);
    return style && parseFloat(style.borderTopWidth) >= 1 && style.borderTopColor === accent;
  });
  return outlined || framed ? 'shows' : focused.outerHTML.slice(0, 160);
}
