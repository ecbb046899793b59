import { Suspense, useEffect, useMemo, useState } from 'react';
import { StatusLine } from '../changes/StatusLine';
import { useNotices } from '../changes/useNotices';
import { useFilter } from '../filter/useFilter';
import { QuickAdd } from '../quickadd/QuickAdd';
import { InboxLink } from '../notifications/InboxLink';
import { renewPush } from '../notifications/push';
import { useReminderToasts } from '../notifications/useReminderToasts';
import { PanelPlace } from '../panel/PanelPlace';
import { useRealtimeUpdates } from '../replica/live';
import { useReplica, useSnapshot } from '../replica/store';
import { TaskList } from '../tasks/TaskList';
import { countsOf, isView, listOf, type View } from '../tasks/views';
import { formatNumber, t } from '../text';
import { useNow } from './clock';
import { AccountMenu, BottomBar, Sidebar, TagDrawer } from './Navigation';
import { pages } from './pages';
import { usePlace } from './router';
import { useUser } from './user';
import { useUpdateOffer } from './worker';

/** The page of who is signed in: navigation, and the list of the view in the address or the page that is there. */
export function Shell() {
  const replica = useReplica();
  useRealtimeUpdates(replica);
  useReminderToasts();
  useUpdateOffer();
  useEffect(() => void renewPush(), []);
  useNotices(replica);
  const view = useView();
  const Page = pages[usePlace().path];
  const snapshot = useSnapshot();
  const filter = useFilter();
  const now = useNow();
  const { time_zone: zone } = useUser();
  const groups = useMemo(
    () => listOf(snapshot.tasks.values(), view, filter, now, zone),
    [snapshot.tasks, view, filter, now, zone],
  );
  const counts = useMemo(() => countsOf(snapshot.tasks.values(), now, zone), [snapshot.tasks, now, zone]);
  const [drawer, setDrawer] = useState(false);
  const total = groups.reduce((n, g) => n + g.tasks.length, 0);
  const tags = filter.tags ?? [];
  const title = tags.length > 0 ? tags.map((tag) => `#${tag}`).join(' ') : t.views[view];
  useEffect(() => {
    if (!Page) document.title = `${title} · ${t.app}`;
  }, [title, Page]);
  return (
    <div className="grid h-full grid-rows-[minmax(0,1fr)_auto] md:grid-cols-[15.5rem_minmax(0,1fr)_auto] md:grid-rows-1">
      <a
        href="#tasks"
        className="fixed top-2 left-2 z-50 -translate-y-20 rounded-md bg-accent px-4 py-2 text-on-accent focus:translate-y-0"
      >
        {t.skip}
      </a>
      <Sidebar view={Page ? undefined : view} counts={counts} tags={tags} />
      <main id="tasks" tabIndex={-1} className="flex min-h-0 flex-col outline-none">
        {Page ? (
          <Suspense>
            <Page />
          </Suspense>
        ) : (
          <>
            <header className="mx-auto w-full max-w-3xl px-4 pt-5 md:px-8 md:pt-10">
              <div className="flex items-baseline gap-3">
                <h1 className="truncate text-title font-semibold tracking-tight">{title}</h1>
                {total > 0 && (
                  <span className="text-sm text-soft">{t.list.count(formatNumber(total), total === 1)}</span>
                )}
                <div className="ml-auto flex self-center md:hidden">
                  <InboxLink />
                  <AccountMenu />
                </div>
              </div>
              <QuickAdd view={view} tags={tags} />
            </header>
            <StatusLine />
            <TaskList
              groups={groups}
              view={view}
              filtered={Object.keys(filter).length > 0}
              load={snapshot.status.load}
            />
          </>
        )}
      </main>
      <PanelPlace />
      <BottomBar view={Page ? undefined : view} onTags={() => setDrawer(true)} />
      {drawer && <TagDrawer counts={counts} tags={tags} onClose={() => setDrawer(false)} />}
    </div>
  );
}

function useView(): View {
  const name = usePlace().path.slice(1);
  return isView(name) ? name : 'today';
}
