import type { Locator, Page } from 'playwright-core';

/** A view of the client: what is shown at an address, once that is there, and what is opened on it. */
export interface Shown {
  name: string;
  path: string;
  ready: (page: Page) => Locator;
  open?: (page: Page) => Promise<void>;
}

/** Every view, with the list of e2e/person.ts; `task` is the one that its panel is shown with. */
export function everyView(task: string): Shown[] {
  return [
    { name: 'today', path: '/today', ready: (page) => page.getByText('Renew the passport').first() },
    { name: 'upcoming', path: '/upcoming', ready: (page) => page.getByText('Review the budget').first() },
    { name: 'all', path: '/all', ready: (page) => page.getByText('Renew the passport').first() },
    { name: 'done', path: '/done', ready: (page) => page.getByText('Order new running shoes').first() },
    { name: 'tag', path: '/all?tag=work', ready: (page) => page.getByText('Review the budget').first() },
    { name: 'nothing', path: '/all?tag=nowhere', ready: (page) => page.getByText('Nothing matches.') },
    {
      name: 'nowhere',
      path: '/nowhere',
      ready: (page) => page.getByRole('heading', { name: 'There is no such page' }),
    },
    { name: 'inbox', path: '/inbox', ready: (page) => page.getByText('Return the library books').first() },
    { name: 'panel', path: `/all?task=${task}`, ready: (page) => page.getByText('40 chairs').first() },
    { name: 'settings', path: '/settings', ready: (page) => page.getByLabel('Notifications on this device') },
    { name: 'people', path: '/people', ready: (page) => page.getByText('Nobody can sign up here') },
    { name: 'security', path: '/security', ready: (page) => page.getByText('this browser', { exact: true }) },
    {
      name: 'activity',
      path: '/activity',
      ready: (page) => page.getByText('Cancel the old phone contract').first(),
    },
    {
      name: 'history',
      path: `/all?task=${task}`,
      ready: (page) => page.getByText('40 chairs').first(),
      open: async (page) => {
        await page.getByRole('button', { name: 'Undo: changed Title' }).first().click();
        await page.getByRole('group', { name: 'Undo this step' }).scrollIntoViewIfNeeded();
      },
    },
    ...opened,
  ];
}

/** What is opened on the list of today. */
const opened: readonly Shown[] = Object.entries({
  filter: async (page: Page) => {
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    await page.getByRole('checkbox', { name: '#errands' }).check();
    await page.getByText('Read the chapter').waitFor({ state: 'detached' });
  },
  date: async (page: Page) => {
    await row(page).focus();
    await pressed(page, 'd');
  },
  selected: async (page: Page) => {
    await row(page).focus();
    await page.keyboard.press('x');
    await page.keyboard.press('Shift+ArrowDown');
    await page.getByRole('region', { name: 'Selected tasks' }).getByText('2 selected').waitFor();
  },
  palette: (page: Page) => pressed(page, 'Control+k'),
  keys: (page: Page) => pressed(page, '?'),
  account: async (page: Page) => {
    await page.getByRole('button', { name: 'Account' }).locator('visible=true').click();
    await page.getByRole('menu').waitFor();
  },
  // The last: what was typed stays in the field.
  understood: async (page: Page) => {
    await page.getByRole('textbox', { name: 'Add a task' }).fill('Dinner 2026-06-12 7pm #family !high');
    await page
      .getByRole('list', { name: 'Understood' })
      .getByRole('button', { name: /^#family/ })
      .waitFor();
  },
}).map(([name, open]) => ({ name, open, path: '/today', ready: row }));

function row(page: Page): Locator {
  return page.getByRole('row', { name: 'Renew the passport' });
}

/** Opens a dialog by its key. */
async function pressed(page: Page, key: string): Promise<void> {
  await page.keyboard.press(key);
  await page.getByRole('dialog').waitFor();
}

export async function show(page: Page, origin: string, view: Shown): Promise<void> {
  await page.goto(origin + view.path);
  await view.ready(page).waitFor();
  await view.open?.(page);
}
