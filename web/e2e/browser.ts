import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, inject } from 'vitest';
import { Server } from './server';

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts Chromium. Suites are skipped where there is none, which global-setup.ts has said then. */
export async function launch(): Promise<Browser> {
  const executablePath = inject('chromium');
  if (!executablePath) throw new Error('there is no Chromium');
  return chromium.launch({ executablePath, args: flags });
}

/** A server and a browser. */
export interface Site {
  server: Server;
  browser: Browser;
}

/** Starts both for the suite that calls it, and stops them after its last test; they are there within its tests. */
export function openSite(): Readonly<Site> {
  const site = {} as Site;
  beforeAll(async () => {
    site.server = await Server.start();
    site.browser = await launch();
  });
  afterAll(async () => {
    await site.browser.close();
    await site.server.stop();
  });
  return site;
}

export interface Look {
  width?: 1280 | 390;
  scheme?: 'light' | 'dark';
  /** The time zone of the device; Europe/Berlin unless given. */
  zone?: string;
}

/** What pages complained of: a test that ends with any has failed. */
const complaints = new Map<BrowserContext, string[]>();

/** A fresh browser profile that is signed in, with one page on the list. */
export async function signedIn(
  browser: Browser,
  server: Pick<Server, 'newLink'>,
  look: Look = {},
): Promise<Page> {
  const page = await stranger(browser, look);
  await page.goto(await server.newLink());
  await page.getByRole('textbox', { name: 'Add a task' }).waitFor();
  return page;
}

/** A fresh browser profile that nobody is signed in to, with one empty page. */
export async function stranger(browser: Browser, look: Look = {}): Promise<Page> {
  const width = look.width ?? 1280;
  const context = await browser.newContext({
    viewport: { width, height: width === 390 ? 844 : 860 },
    colorScheme: look.scheme ?? 'light',
    locale: 'en-GB',
    timezoneId: look.zone ?? 'Europe/Berlin',
    deviceScaleFactor: 1,
    hasTouch: width === 390,
  });
  const heard: string[] = [];
  complaints.set(context, heard);
  context.on('weberror', (e) => heard.push(e.error().message));
  context.on('console', (m) => {
    if (m.text().includes('Content Security Policy')) heard.push(m.text());
  });
  return context.newPage();
}

/** Fills in the form of name and password as a person does, and sends it by Enter. */
export async function enter(page: Page, name: string, password: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.keyboard.press('Enter');
}

/** A fresh browser profile in which name and password have been entered on the way to that path. */
export async function entered(site: Site, name: string, password: string, path = '/'): Promise<Page> {
  const page = await stranger(site.browser);
  await page.goto(site.server.url + path);
  await enter(page, name, password);
  return page;
}

/** The pages that are open, of all profiles. */
export function openPages(): Page[] {
  return [...complaints.keys()].flatMap((context) => context.pages());
}

/** Uncaught errors and breaches of the Content-Security-Policy in any page of the profile. */
export function complaintsOf(page: Page): readonly string[] {
  return complaints.get(page.context()) ?? [];
}

/** Writes a picture to `e2e/shots/<name>.png`, which stays out of git. */
export async function screenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${import.meta.dirname}/shots/${name}.png`, animations: 'disabled' });
}
