/**
 * Which tab this is: the same one after a reload, another one where a tab was copied. Its id is in sessionStorage only
 * between two pages of the tab, so that a copy does not have it; a lock tells other tabs that it is open.
 */
import { newKey } from './taskid';

const key = 'docket.tab';
const lockOf = (id: string) => `docket-tab-${id}`;

let mine: string | undefined;

/** The id of this tab. From then on the others see it as open. */
export async function thisTab(): Promise<string> {
  if (mine !== undefined) return mine;
  const id = (mine = sessionStorage.getItem(key) ?? newKey());
  sessionStorage.removeItem(key);
  addEventListener('pagehide', () => sessionStorage.setItem(key, id));
  addEventListener('pageshow', ({ persisted }) => persisted && sessionStorage.removeItem(key));
  await new Promise<void>((held) => {
    if (!locks) held();
    else void locks.request(lockOf(id), () => (held(), new Promise(() => undefined))).catch(() => held());
  });
  return id;
}

/** Tells which tabs are open. Browsers on plain HTTP in a local network cannot know: there every other tab counts as open. */
export async function openTabs(): Promise<(tab: string) => boolean> {
  if (!locks) return () => true;
  const { held = [] } = await locks.query();
  const names = new Set(held.map(({ name }) => name));
  return (tab) => names.has(lockOf(tab));
}

const locks = (navigator as { locks?: LockManager }).locks;
