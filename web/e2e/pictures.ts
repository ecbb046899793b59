/**
 * The pictures in docs/pictures, by `make pictures`: each view at 1280 and 390 px, light and dark, and what is opened on one
 * wide and light, and on a phone and dark; the door; all with the list of a person at a fixed moment.
 *
 * [Task]: T006
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { launch, stranger } from './browser';
import { fill, setClock } from './person';
import { quantised } from './png';
import { Server } from './server';
import { everyView, show } from './views';

const folder = resolve(import.meta.dirname, '../../docs/pictures');
/** What all pictures may weigh together, in bytes. */
const limit = 1_500_000;
/** Views that say only that there is nothing, and small ones on a list that others show. */
const unpictured: readonly string[] = ['nothing', 'nowhere', 'account', 'date'];

test('pictures', async () => {
  const browser = await launch();
  const server = await Server.start();
  const start = Date.now();
  const views = everyView(await fill(server));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  let weight = 0;
  const take = async (page: Page, name: string) => {
    await page.waitForLoadState('networkidle');
    const picture = quantised(await page.screenshot({ animations: 'disabled', caret: 'hide' }));
    weight += picture.length;
    await writeFile(`${folder}/${name}.png`, picture);
  };
  for (const width of [1280, 390] as const) {
    for (const scheme of ['light', 'dark'] as const) {
      const page = await stranger(browser, { width, scheme });
      await setClock(page.context(), start); // before the page keeps anything of the real time
      await page.goto(await server.newLink());
      await page.getByRole('textbox', { name: 'Add a task' }).waitFor();
      const door = await stranger(browser, { width, scheme });
      await door.goto(`${server.url}/signin`);
      await door.getByRole('textbox', { name: 'Name' }).waitFor();
      await take(door, `signin-${width}-${scheme}`);
      await door.context().close();
      const whole = (width === 1280) === (scheme === 'light'); // what is opened on a view is shown in two looks
      for (const view of views.filter((v) => !unpictured.includes(v.name) && (whole || !v.open))) {
        await show(page, server.url, view);
        await take(page, `${view.name}-${width}-${scheme}`);
      }
      await page.context().close();
    }
  }
  console.log(
    `${views.length - unpictured.length + 1} views, ${(weight / 1000).toFixed(0)} KB in docs/pictures`,
  );
  expect(weight).toBeLessThan(limit);
  await browser.close();
  await server.stop();
});
