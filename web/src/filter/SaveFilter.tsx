import { useState } from 'react';
import { follow, navigate } from '../app/router';
import { Button } from '../design/controls';
import type { View } from '../tasks/views';
import { t } from '../text';
import { NameDialog } from './NameDialog';
import { useFilterChanges, type SavedFilter } from './saved';
import { sameFilter, type Filter } from './url';
import { addressOf } from './useFilter';

interface Props {
  view: View;
  filter: Filter;
  /** The saved filter that the address came from. */
  saved: SavedFilter | undefined;
}

/** Saves the filter under a name, or in place of the saved one it came from; and clears it. */
export function SaveFilter({ view, filter, saved }: Props) {
  const { create, replace } = useFilterChanges();
  const [naming, setNaming] = useState(false);
  const small = 'h-7 px-2 text-xs';
  const save = async (name: string) => {
    setNaming(false);
    const made = await create(name, filter);
    if (made) navigate(addressOf('all', filter, made.id), true);
  };
  const changed = saved !== undefined && !sameFilter(saved.filter, filter);
  return (
    <>
      {changed && (
        <Button kind="quiet" className={small} onClick={() => void replace(saved.id, filter)}>
          {t.saved.update(saved.name)}
        </Button>
      )}
      {(!saved || changed) && (
        <Button kind="quiet" className={small} onClick={() => setNaming(true)}>
          {t.saved.save}
        </Button>
      )}
      <a
        href={addressOf(view, {})}
        onClick={follow}
        className="inline-flex h-7 items-center rounded-md px-2 text-xs font-medium text-soft hover:bg-hover hover:text-ink"
      >
        {t.filter.clear}
      </a>
      {naming && (
        <NameDialog
          title={t.saved.save}
          onName={(name) => void save(name)}
          onClose={() => setNaming(false)}
        />
      )}
    </>
  );
}
