import { Dialog } from '../design/Dialog';
import { Icon } from '../design/Icon';
import { Menu } from '../design/menu';
import { SavedFilters } from '../filter/SavedFilters';
import type { SavedFilter } from '../filter/saved';
import { useUnreadCount } from '../notifications/inbox';
import type { Counts, View } from '../tasks/views';
import { views } from '../tasks/views';
import { t } from '../text';
import { NavLink } from './NavLink';
import { follow, navigate, usePlace } from './router';
import { signOut } from './session';
import { setTheme, useTheme, type Theme } from './theme';
import { useUser } from './user';

interface Where {
  /** Undefined on a page beside the list. */
  view: View | undefined;
  counts: Counts;
  tags: readonly string[];
  filters: readonly SavedFilter[];
  filterCounts: ReadonlyMap<string, number>;
  /** The saved filter that the list shows. */
  saved: string | undefined;
}

/** The views, saved filters and tags at the side of a wide screen. */
export function Sidebar({ view, ...where }: Where) {
  const { counts, tags, saved } = where;
  const user = useUser();
  const unread = useUnreadCount();
  return (
    <nav aria-label={t.nav.main} className="hidden min-h-0 flex-col border-r border-line bg-sunken md:flex">
      <div className="flex items-center gap-2.5 px-5 pt-6 pb-5">
        <img src="/icon.svg" alt="" className="size-7" />
        <span className="text-lg font-semibold tracking-tight">{t.app}</span>
      </div>
      <ul className="space-y-0.5 px-3">
        {views.map((v) => (
          <li key={v}>
            <NavLink
              href={`/${v}`}
              icon={v}
              label={t.views[v]}
              count={v === 'done' ? 0 : counts.views[v]}
              late={v === 'today' && counts.overdue > 0}
              current={v === view && tags.length === 0 && saved === undefined}
            />
          </li>
        ))}
        <li>
          <NavLink
            href="/inbox"
            icon="bell"
            label={t.inbox.title}
            count={unread}
            current={usePlace().path === '/inbox'}
          />
        </li>
      </ul>
      <div className="min-h-0 grow overflow-y-auto px-3 pb-3">
        <Lists {...where} />
      </div>
      <div className="flex items-center gap-2 border-t border-line py-2 pr-2 pl-6">
        <span className="grow truncate text-sm text-soft">{user.name}</span>
        <AccountMenu />
      </div>
    </nav>
  );
}

type Kept = Omit<Where, 'view'> & { onFollow?: () => void };

/** The saved filters and the tags. */
function Lists(kept: Kept) {
  const heading = 'px-3 pt-6 pb-1.5 text-xs font-medium text-soft';
  const { filters, filterCounts, saved, onFollow } = kept;
  return (
    <>
      <h2 className={heading}>{t.saved.title}</h2>
      <SavedFilters filters={filters} counts={filterCounts} current={saved} {...(onFollow && { onFollow })} />
      <h2 className={heading}>{t.nav.tags}</h2>
      <TagLinks {...kept} />
    </>
  );
}

function TagLinks({ counts, tags, saved, onFollow }: Kept) {
  if (counts.tags.length === 0) return <p className="px-3 text-sm text-soft">{t.nav.noTags}</p>;
  return (
    <ul className="space-y-0.5">
      {counts.tags.map(([tag, n]) => (
        <li key={tag}>
          <NavLink
            href={`/all?${new URLSearchParams({ tag }).toString()}`}
            icon="tag"
            label={tag}
            count={n}
            current={tags.includes(tag) && saved === undefined}
            {...(onFollow && { onFollow })}
          />
        </li>
      ))}
    </ul>
  );
}

/** The views at the bottom of a phone, in reach of a thumb. */
export function BottomBar({ view, onLists }: { view: View | undefined; onLists: () => void }) {
  const item =
    'flex h-14 w-full flex-col items-center justify-center gap-0.5 text-xs text-soft aria-[current]:text-accent';
  return (
    <nav
      aria-label={t.nav.main}
      className="border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      <ul className="grid grid-cols-5">
        {views.map((v) => (
          <li key={v}>
            <a
              href={`/${v}`}
              onClick={follow}
              aria-current={v === view ? 'page' : undefined}
              className={item}
            >
              <Icon name={v} />
              {t.views[v]}
            </a>
          </li>
        ))}
        <li>
          <button type="button" onClick={onLists} className={item}>
            <Icon name="filter" />
            {t.nav.lists}
          </button>
        </li>
      </ul>
    </nav>
  );
}

/** Saved filters and tags on a phone. */
export function ListsDrawer({ onClose, ...where }: Omit<Where, 'view'> & { onClose: () => void }) {
  return (
    <Dialog title={t.nav.lists} shape="sheet" onClose={onClose}>
      <Lists {...where} onFollow={onClose} />
    </Dialog>
  );
}

const themes: readonly Theme[] = ['system', 'light', 'dark'];

/** What concerns the account: the theme, the settings, what happened, signing out. */
export function AccountMenu() {
  const theme = useTheme();
  const { admin } = useUser();
  return (
    <Menu
      icon="person"
      label={t.nav.account}
      content={[
        { label: t.nav.settings, icon: 'gear' as const, onSelect: () => navigate('/settings') },
        { label: t.nav.security, icon: 'key' as const, onSelect: () => navigate('/security') },
        ...(admin
          ? [{ label: t.nav.people, icon: 'person' as const, onSelect: () => navigate('/people') }]
          : []),
        { label: t.nav.activity, icon: 'activity' as const, onSelect: () => navigate('/activity') },
        ...themes.map((one) => ({
          label: t.palette.theme(t.theme[one]),
          chosen: one === theme,
          onSelect: () => setTheme(one),
        })),
        { label: t.signOut, icon: 'close' as const, onSelect: () => void signOut() },
      ]}
    />
  );
}
