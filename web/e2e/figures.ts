/**
 * The figures of the web client, printed by `make web-check`: real Chromium against the real binary, on this machine. Times
 * are printed; what axe finds is a failure.
 *
 * [Task]: T006
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { violationsOn } from './axe';
import { launch, signedIn } from './browser';
import { fill, moment } from './person';
import { Server } from './server';
import { everyView, show } from './views';

/** The smallest value that a share of all values does not exceed. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

async function addTasks(server: Server, n: number): Promise<void> {
  const day = (i: number) => new Date(Date.now() + (i % 400) * 86_400_000).toISOString().slice(0, 10);
  for (let done = 0; done < n; done += 200) {
    const changes = Array.from({ length: Math.min(200, n - done) }, (_, i) => ({
      op: 'create',
      body: { title: `Task number ${done + i + 1}`, due_date: day(done + i), tags: [`tag-${i % 20}`] },
    }));
    await server.api('POST', '/api/tasks/batch', { changes });
  }
}

describe.skipIf(!inject('chromium'))('figures', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());

  test('first load', async () => {
    const server = await Server.start();
    await addTasks(server, 1_000);
    const cookies = await (await signedIn(browser, server)).context().storageState();
    const times: number[] = [];
    for (let run = 0; run < 10; run++) {
      const context = await browser.newContext({ storageState: { cookies: cookies.cookies, origins: [] } });
      const page = await context.newPage();
      await page.addInitScript(noteFirstTask);
      await page.goto(`${server.url}/all`);
      times.push(
        await page
          .waitForFunction(() => Reflect.get(globalThis, 'usable') as number)
          .then((h) => h.jsonValue()),
      );
      await context.close();
    }
    console.log(
      `first load to a usable list of 1,000 tasks, p50 of 10: ${quantile(times, 0.5).toFixed(0)} ms`,
    );
    await server.stop();
  });

  test('a change in one browser, painted in another', async () => {
    const server = await Server.start();
    const [one, two] = await Promise.all([signedIn(browser, server), signedIn(browser, server)]);
    await two.goto(`${server.url}/all?sort_by=created_at&sort_order=desc`);
    await two.getByText('No tasks yet.').or(two.getByText('Nothing matches.')).waitFor();
    const input = one.getByRole('textbox', { name: 'Add a task' });
    const times: number[] = [];
    for (let n = 0; n < 200; n++) {
      const title = `Change number ${n}`;
      const painted = two.evaluate(paintOf, title);
      await input.fill(title);
      const entered = one.evaluate(nextEnter);
      await input.press('Enter');
      times.push((await painted) - (await entered));
    }
    const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
    console.log(
      `a change painted in another browser, p50 and p99 of 200: ${p50.toFixed(0)} ms, ${p99.toFixed(0)} ms`,
    );
    await Promise.all([one.context().close(), two.context().close()]);
    await server.stop();
  });

  test('scrolling', async () => {
    const server = await Server.start();
    await addTasks(server, 10_000);
    const page = await signedIn(browser, server);
    await page.goto(`${server.url}/all`);
    await page.getByText('10,000 tasks').waitFor();
    const { frames, long, worst } = await page.evaluate(scrollThrough);
    console.log(
      `scrolling 10,000 tasks: ${long} of ${frames} frames longer than 50 ms, the longest ${worst.toFixed(0)} ms`,
    );
    await page.context().close();
    await server.stop();
  });

  test('axe', async () => {
    const server = await Server.start();
    const views = everyView(await fill(server));
    const found: string[] = [];
    for (const [width, scheme] of [
      [1280, 'light'],
      [1280, 'dark'],
      [390, 'light'],
      [390, 'dark'],
    ] as const) {
      const page: Page = await signedIn(browser, server, { width, scheme });
      await page.clock.setFixedTime(moment);
      for (const view of views) {
        await show(page, server.url, view);
        found.push(...(await violationsOn(page)).map((v) => `${view.name}, ${width} px, ${scheme}: ${v}`));
      }
      await page.context().close();
    }
    console.log(
      `axe on ${views.length} views, light and dark, at 1280 and 390 px: ${found.length} violations`,
    );
    await server.stop();
    expect(found).toEqual([]);
  });
});

// The following run in the page.

/** Notes when the first task can be seen and clicked, in milliseconds since the navigation began. */
function noteFirstTask(): void {
  const look = () => {
    if (document.querySelector('[data-task]') && document.querySelector('main input'))
      requestAnimationFrame(() => setTimeout(() => Reflect.set(globalThis, 'usable', performance.now())));
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** When a text is on the screen, in milliseconds since 1970. */
function paintOf(text: string): Promise<number> {
  return new Promise((resolve) => {
    const look = () => {
      const there = [...document.querySelectorAll('[data-task]')].some((row) =>
        row.textContent.includes(text),
      );
      if (!there) return;
      watcher.disconnect();
      // Right after the frame that shows it.
      requestAnimationFrame(() => setTimeout(() => resolve(performance.timeOrigin + performance.now())));
    };
    const watcher = new MutationObserver(look);
    watcher.observe(document.body, { subtree: true, childList: true, characterData: true });
  });
}

/** When Enter is pressed next, in milliseconds since 1970. */
function nextEnter(): Promise<number> {
  return new Promise((resolve) => {
    addEventListener('keydown', () => resolve(performance.timeOrigin + performance.now()), {
      capture: true,
      once: true,
    });
  });
}

/** Scrolls through the whole list, a good part of a screen with every frame, for five seconds. */
function scrollThrough(): Promise<{ frames: number; long: number; worst: number }> {
  let scroller = document.querySelector('[data-task]')?.parentElement;
  while (scroller && scroller.scrollHeight <= scroller.clientHeight + 1) scroller = scroller.parentElement;
  return new Promise((resolve, reject) => {
    if (!scroller) {
      reject(new Error('nothing scrolls'));
      return;
    }
    const list = scroller;
    const lengths: number[] = [];
    let last = performance.now();
    const end = last + 5_000;
    const step = (now: number) => {
      lengths.push(now - last);
      last = now;
      list.scrollTop += 400;
      if (now < end) requestAnimationFrame(step);
      else
        resolve({
          frames: lengths.length,
          long: lengths.filter((l) => l > 50).length,
          worst: Math.max(...lengths.slice(1)),
        });
    };
    requestAnimationFrame(step);
  });
}
