/**
 * The page of the list: its name, quick add, the filter, and the tasks of the view in the address.
 *
 * [Task]: T062
 */
import { useDeferredValue, useEffect, useEffectEvent, useMemo } from 'react';
import { useNow } from '../app/clock';
import { Corner } from '../app/Corner';
import { useUser } from '../app/user';
import { say } from '../design/say';
import { SaveFilter } from '../filter/SaveFilter';
import { useSavedFilters } from '../filter/saved';
import { TaskFilterBar } from '../filter/TaskFilterBar';
import { onDay, sameFilter, without, type Filter } from '../filter/url';
import { addressOf, show, useShown } from '../filter/useFilter';
import { QuickAdd } from '../quickadd/QuickAdd';
import { dayAt } from '../replica/due';
import { useSnapshot } from '../replica/store';
import { formatNumber, t } from '../text';
import { Empty, Loading } from './ListState';
import { TaskList } from './TaskList';
import { countsOf, listOf, type View } from './views';

export function ListPage() {
  const { tasks, status } = useSnapshot();
  const shown = useShown();
  const { view, filter } = shown;
  const now = useNow();
  const { time_zone: zone } = useUser();
  const today = dayAt(now, zone);
  const saved = useSavedFilters().find(({ id }) => id === shown.saved);
  const query = useMemo(() => onDay(filter, today), [filter, today]);
  const groups = useMemo(
    () => listOf(tasks.values(), view, query, now, zone),
    [tasks, view, query, now, zone],
  );
  const tags = useTags();
  const total = groups.reduce((n, group) => n + group.tasks.length, 0);
  const title = saved?.name ?? titleOf(view, filter) ?? t.views[view];
  useEffect(() => {
    document.title = `${title} · ${t.app}`;
  }, [title]);
  useSaid(addressOf(view, filter, shown.saved), status.load === 'complete', title, total);
  const filtered = !sameFilter(filter, {});
  return (
    <>
      {/* In a low window it scrolls by itself, with the open filter: the list keeps a few rows. */}
      <header className="mx-auto min-h-0 w-full max-w-3xl overflow-y-auto px-4 pt-5 pb-2 md:px-8 md:pt-10">
        <div className="flex items-baseline gap-3">
          <h1 dir="auto" className="truncate text-title font-semibold tracking-tight">
            {title}
          </h1>
          <span className="text-sm whitespace-nowrap text-soft">
            {total > 0 && t.list.count(formatNumber(total), total === 1)}
          </span>
          <Corner />
        </div>
        <QuickAdd view={view} filter={query} />
        <TaskFilterBar
          filter={filter}
          tags={tags}
          today={today}
          onChange={(next, typing = false) => show({ ...shown, filter: next }, typing)}
        >
          <SaveFilter view={view} filter={filter} saved={saved} />
        </TaskFilterBar>
      </header>
      {total > 0 ? (
        <TaskList key={addressOf(view, filter)} groups={groups} label={title} />
      ) : status.load === 'complete' ? (
        <Empty
          of={filtered ? 'filtered' : view === 'all' && tasks.size > 0 ? 'finished' : view}
          {...(filtered && { clear: addressOf(view, {}) })}
        />
      ) : (
        <Loading />
      )}
    </>
  );
}

/** Says which list is there, and how long it is, when the user has asked for another; not when it changes. */
function useSaid(address: string, loaded: boolean, title: string, total: number): void {
  const tell = useEffectEvent(() => say(t.list.holds(formatNumber(total), title)));
  useEffect(() => {
    if (loaded) tell();
  }, [address, loaded]);
}

/** The name of the list of all tasks of one or more tags. */
function titleOf(view: View, filter: Filter): string | undefined {
  const { tags = [] } = filter;
  const others = without(filter, 'tags', 'sortBy', 'descending');
  if (view !== 'all' || tags.length === 0 || !sameFilter(others, {})) return undefined;
  return tags.map((tag) => `#${tag}`).join(' ');
}

function useTags(): string[] {
  const tasks = useDeferredValue(useSnapshot().tasks);
  const now = useNow();
  const { time_zone: zone } = useUser();
  return useMemo(() => countsOf(tasks.values(), now, zone).tags.map(([tag]) => tag), [tasks, now, zone]);
}
