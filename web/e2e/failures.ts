import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { openPages } from './browser';

const folder = join(import.meta.dirname, 'failures');

/** After a failed test: a picture of every page that is open, and where to find it. */
afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return;
  await mkdir(folder, { recursive: true });
  for (const [i, page] of openPages().entries()) {
    const name = `${task.name.replace(/[^\w-]+/g, '-').slice(0, 80)}-${i + 1}.png`;
    const path = join(folder, name);
    const taken = await page.screenshot({ path, timeout: 5_000 }).catch(() => undefined);
    if (taken) console.error(`failed at ${page.url()}: see ${path}`);
  }
});
