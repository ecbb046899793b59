import { useMemo } from 'react';
import { navigate } from '../app/router';
import { signOut } from '../app/session';
import { setTheme } from '../app/theme';
import { useUser } from '../app/user';
import { useNow } from '../app/clock';
import type { IconName } from '../design/Icon';
import { useSavedFilters } from '../filter/saved';
import { addressOf } from '../filter/useFilter';
import { useSnapshot } from '../replica/store';
import { countsOf } from '../tasks/views';
import { t } from '../text';
import { act, available } from './keys';
import type { Shortcut, ShortcutId } from './shortcuts';

/** Something that the palette finds, and what choosing it does. */
export interface Command {
  key: string;
  label: string;
  icon: IconName;
  keys?: Shortcut['keys'];
  done?: boolean;
  run: () => void;
}

const icons: Partial<Record<string, IconName>> = {
  add: 'plus',
  search: 'search',
  undo: 'repeat',
  help: 'note',
  goToday: 'today',
  goUpcoming: 'upcoming',
  goAll: 'all',
  goDone: 'done',
  goInbox: 'bell',
};

/** The actions: what has a shortcut and needs no task, places to go, and the account's. */
export function useCommands(): Command[] {
  const { tasks } = useSnapshot();
  const filters = useSavedFilters();
  const now = useNow();
  const { time_zone: zone } = useUser();
  const tags = useMemo(() => countsOf(tasks.values(), now, zone).tags, [tasks, now, zone]);
  return useMemo(() => {
    const go = (key: string, label: string, icon: IconName, to: string): Command => {
      return { key, label: t.palette.go(label), icon, run: () => navigate(to) };
    };
    return [
      ...shortcutCommands(),
      ...filters.map((f) => go(f.id, f.name, 'filter', addressOf('all', f.filter, f.id))),
      ...tags.map(([tag]) => go(`#${tag}`, `#${tag}`, 'tag', addressOf('all', { tags: [tag] }))),
      go('settings', t.nav.settings, 'gear', '/settings'),
      go('security', t.nav.security, 'key', '/security'),
      go('activity', t.nav.activity, 'activity', '/activity'),
      ...(['system', 'light', 'dark'] as const).map((theme): Command => ({
        key: theme,
        label: t.palette.theme(t.theme[theme]),
        icon: 'person',
        run: () => setTheme(theme),
      })),
      { key: 'signOut', label: t.signOut, icon: 'close', run: () => void signOut() },
    ];
  }, [filters, tags]);
}

/** Searching the list for what was typed, which is offered whatever that is. */
export function searchFor(typed: string): Command {
  const search = typed.trim();
  return {
    key: 'search-for',
    label: t.palette.search(search),
    icon: 'search',
    run: () => navigate(addressOf('all', { search })),
  };
}

function shortcutCommands(): Command[] {
  return available()
    .filter(({ id, scope }) => scope === 'go' || (scope === 'anywhere' && id !== 'palette' && id !== 'back'))
    .map(({ id, scope, keys }) => ({
      key: id,
      label: scope === 'go' ? t.palette.go(t.keys.does[id as ShortcutId]) : t.keys.does[id as ShortcutId],
      icon: icons[id] ?? 'more',
      keys,
      run: () => void act(id),
    }));
}
