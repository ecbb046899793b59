import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of Chromium; empty if there is none, and the browser tests are skipped. */
    chromium: string;
  }
}

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const install = 'apt-get install -y --no-install-recommends chromium';

/** Finds Chromium; installs it as root on Debian; elsewhere the tests are skipped, which CI counts as a failure. */
export default function setup(project: TestProject): void {
  let found = places.find((p) => existsSync(p));
  if (!found && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    execFileSync('sh', ['-c', `apt-get update -qq && ${install}`], { stdio: 'inherit' });
    found = places.find((p) => existsSync(p));
  }
  if (!found) {
    const message = `browser tests need Chromium: ${install}`;
    if (process.env.CI) throw new Error(message);
    console.warn(`skipped: ${message}`);
  }
  project.provide('chromium', found ?? '');
}
