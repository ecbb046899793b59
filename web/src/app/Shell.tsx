import { Suspense, useDeferredValue, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { StatusLine } from '../changes/StatusLine';
import { useNotices } from '../changes/useNotices';
import { Spoken } from '../design/say';
import { useSavedFilters } from '../filter/saved';
import { onDay, type Filter } from '../filter/url';
import { useShown } from '../filter/useFilter';
import { Keys } from '../keys/Keys';
import { renewPush } from '../notifications/push';
import { useReminderToasts } from '../notifications/useReminderToasts';
import { PanelPlace } from '../panel/PanelPlace';
import { dayAt } from '../replica/due';
import { useRealtimeUpdates } from '../replica/live';
import { useReplica, useSnapshot } from '../replica/store';
import { ZoneNotice } from '../settings/ZoneNotice';
import { ListPage } from '../tasks/ListPage';
import { countsOf, isView, shows } from '../tasks/views';
import { t } from '../text';
import { useNow } from './clock';
import { BottomBar, ListsDrawer, Sidebar } from './Navigation';
import { NotFound, pages } from './pages';
import { usePlace } from './router';
import { useUser } from './user';
import { useSentChoices, useUpdateOffer } from './worker';

/** The page of who is signed in: navigation, and the list of the view in the address or the page that is there. */
export function Shell() {
  const replica = useReplica();
  useRealtimeUpdates(replica);
  useReminderToasts();
  useUpdateOffer();
  useSentChoices();
  useEffect(() => void renewPush(), []);
  useNotices(replica);
  const { view, filter, saved } = useShown();
  const { path } = usePlace();
  const Page = pages[path] ?? (path === '/' || isView(path.slice(1)) ? undefined : NotFound);
  const tags = view === 'all' ? (filter.tags ?? []) : []; // a tag's link leads to all of its tasks
  const where = { ...useCounts(), tags, saved: Page ? undefined : saved };
  const [drawer, setDrawer] = useState(false);
  const main = useFocusAfter(`${path} ${saved ?? ''}`);
  return (
    <div className="grid h-full grid-cols-[minmax(0,1fr)] grid-rows-[minmax(0,1fr)_auto] md:grid-cols-[15.5rem_minmax(0,1fr)_auto] md:grid-rows-1">
      <a
        href="#tasks"
        className="fixed top-2 left-2 z-50 -translate-y-20 rounded-md bg-accent px-4 py-2 text-on-accent focus:translate-y-0"
      >
        {t.skip}
      </a>
      <Sidebar view={Page ? undefined : view} {...where} />
      <main ref={main} id="tasks" tabIndex={-1} className="toast-floor flex min-h-0 flex-col outline-none">
        {Page ? (
          <Suspense>
            <Page />
          </Suspense>
        ) : (
          <>
            <ListPage />
            <StatusLine />
            <ZoneNotice />
          </>
        )}
      </main>
      <PanelPlace />
      <BottomBar view={Page ? undefined : view} onLists={() => setDrawer(true)} />
      {drawer && <ListsDrawer {...where} onClose={() => setDrawer(false)} />}
      <Keys />
      <Spoken />
    </div>
  );
}

/** Where the focus goes when another page takes the place of the one that had it: what was focused is gone. */
function useFocusAfter(page: string) {
  const main = useRef<HTMLElement>(null);
  const before = useRef(page);
  useLayoutEffect(() => {
    if (before.current !== page && document.activeElement === document.body)
      main.current?.focus({ preventScroll: true });
    before.current = page;
  }, [page]);
  return main;
}

/** How many tasks are behind each link of the navigation; the list itself does not wait for them. */
function useCounts() {
  const tasks = useDeferredValue(useSnapshot().tasks);
  const now = useNow();
  const { time_zone: zone } = useUser();
  const filters = useSavedFilters();
  const counts = useMemo(() => countsOf(tasks.values(), now, zone), [tasks, now, zone]);
  const filterCounts = useMemo(() => {
    const today = dayAt(now, zone);
    const all = [...tasks.values()];
    const count = (filter: Filter) => all.filter(shows('all', onDay(filter, today), now, zone)).length;
    return new Map(filters.map(({ id, filter }) => [id, count(filter)]));
  }, [tasks, now, zone, filters]);
  return { counts, filters, filterCounts };
}
