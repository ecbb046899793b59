/**
 * Pictures of the list at two widths, light and dark, for the eye; and axe, which must find nothing.
 *
 * [Task]: T062
 */
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { complaintsOf, launch, screenshot, signedIn } from './browser';
import { Server } from './server';

const samples = [
  'Pay rent every month on the 1st at 9am #home !high',
  'Call Anna tomorrow 5pm #family',
  'Water the plants every 3 days #home',
  'Send the offer to Wójcik & Sons today 11:30 #work !high',
  'Book the train to Lisbon in 3 weeks #travel',
  'Read the chapter on queues #books !low',
  'Review the budget every friday at 10am #work',
  'Buy oat milk today #home',
];

describe.skipIf(!inject('chromium'))('the look', () => {
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    server = await Server.start();
    await server.api('POST', '/api/tasks', {
      title: 'Renew the passport',
      due_date: '2026-01-15',
      priority: 'high',
    });
    for (const quick of samples) await server.api('POST', '/api/tasks', { quick });
    const launched = await launch();
    if (!launched) throw new Error('Chromium did not start');
    browser = launched;
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  describe.each([1280, 390] as const)('%i px', (width) => {
    test.each(['light', 'dark'] as const)('%s', async (scheme) => {
      const page = await signedIn(browser, server, { width, scheme });
      for (const view of ['today', 'all', 'done']) {
        await page.goto(`${server.url}/${view}`);
        await page.getByText(view === 'done' ? 'Nothing done yet.' : 'Renew the passport').waitFor();
        await screenshot(page, `${view}-${width}-${scheme}`);
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`)).toEqual([]);
      }
      expect(complaintsOf(page)).toEqual([]);
      await page.context().close();
    });
  });
});
