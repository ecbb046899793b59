import { useState } from 'react';
import { NavLink } from '../app/NavLink';
import { navigate } from '../app/router';
import { Menu } from '../design/menu';
import { t } from '../text';
import { NameDialog } from './NameDialog';
import { useFilterChanges, type SavedFilter } from './saved';
import { addressOf } from './useFilter';

interface Props {
  filters: readonly SavedFilter[];
  /** How many tasks each finds. */
  counts: ReadonlyMap<string, number>;
  current: string | undefined;
  onFollow?: () => void;
}

/** The saved filters in the navigation, each with what can be done to it. */
export function SavedFilters({ filters, counts, current, onFollow }: Props) {
  const { rename, reorder, remove } = useFilterChanges();
  const [renaming, setRenaming] = useState<SavedFilter>();
  const swapped = (at: number, by: number) => {
    const ids = filters.map(({ id }) => id);
    ids.splice(at + by, 0, ...ids.splice(at, 1));
    void reorder(ids);
  };
  const drop = (filter: SavedFilter) => {
    if (filter.id === current) navigate(addressOf('all', {}), true);
    void remove(filter.id);
  };
  if (filters.length === 0) return <p className="px-3 text-sm text-soft">{t.saved.none}</p>;
  return (
    <>
      <ul className="space-y-0.5">
        {filters.map((one, i) => (
          <li key={one.id} className="group relative">
            <NavLink
              href={addressOf('all', one.filter, one.id)}
              icon="filter"
              label={one.name}
              count={counts.get(one.id) ?? 0}
              current={one.id === current}
              className="group-focus-within:pr-9 group-hover:pr-9 max-md:pr-9"
              {...(onFollow && { onFollow })}
            />
            <div className="absolute inset-y-0 right-0 transition-opacity group-focus-within:opacity-100 group-hover:opacity-100 md:opacity-0">
              <Menu
                icon="more"
                label={t.saved.more(one.name)}
                content={[
                  { label: t.saved.rename, icon: 'pencil', onSelect: () => setRenaming(one) },
                  ...(i > 0
                    ? [{ label: t.saved.up, icon: 'up' as const, onSelect: () => swapped(i, -1) }]
                    : []),
                  ...(i < filters.length - 1
                    ? [{ label: t.saved.down, icon: 'down' as const, onSelect: () => swapped(i, 1) }]
                    : []),
                  { label: t.saved.delete, icon: 'trash', onSelect: () => drop(one) },
                ]}
              />
            </div>
          </li>
        ))}
      </ul>
      {renaming && (
        <NameDialog
          title={t.saved.rename}
          name={renaming.name}
          onName={(name) => {
            setRenaming(undefined);
            if (name !== renaming.name) void rename(renaming.id, name);
          }}
          onClose={() => setRenaming(undefined)}
        />
      )}
    </>
  );
}
