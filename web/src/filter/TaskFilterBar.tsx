/**
 * Search, conditions and order of the list. What is set shows as chips that can be taken off; the conditions open
 * below them. It keeps nothing itself but a search that is being typed: the filter is the address's.
 *
 * [Task]: T060
 */
import { useEffect, useId, useRef, useState, type ReactNode } from 'react';
import { Button, IconButton } from '../design/controls';
import { Icon } from '../design/Icon';
import { useCharacters } from '../keys/characters';
import { useActions } from '../keys/keys';
import type { SortKey } from '../replica/query';
import { formatNumber, t } from '../text';
import { conditionsOf } from './conditions';
import { FilterPanel } from './FilterPanel';
import { without, type Filter } from './url';

interface Props {
  filter: Filter;
  /** The user's tags, the most used first. */
  tags: readonly string[];
  /** The user's day: 2026-03-31. */
  today: string;
  /** `typing` is a search in the middle of being typed. */
  onChange: (filter: Filter, typing?: boolean) => void;
  /** What can be done with the filter as it is, such as saving it. */
  children?: ReactNode;
}

export function TaskFilterBar({ filter, tags, today, onChange, children }: Props) {
  const [open, setOpen] = useState(false);
  const panel = useId();
  const toggle = useRef<HTMLButtonElement>(null);
  const close = () => {
    if (!open) return false;
    if (document.getElementById(panel)?.contains(document.activeElement)) toggle.current?.focus();
    setOpen(false);
    return true;
  };
  useActions({ back: close });
  const conditions = conditionsOf(filter, today);
  return (
    <div role="search" aria-label={t.filter.label} className="mt-2.5">
      <div className="flex items-center gap-1">
        <Search
          value={filter.search ?? ''}
          onChange={(search) => onChange(withSearch(filter, search), true)}
        />
        <Button
          ref={toggle}
          kind="quiet"
          aria-label={t.filter.conditions(conditions.length)}
          aria-expanded={open}
          aria-controls={panel}
          onClick={() => setOpen(!open)}
          className="px-2.5"
        >
          <Icon name="filter" />
          <span className="max-md:hidden">{t.filter.filter}</span>
          {conditions.length > 0 && (
            <span className="min-w-5 rounded-full bg-accent-wash px-1 text-center text-xs text-accent">
              {formatNumber(conditions.length)}
            </span>
          )}
        </Button>
        <Sort filter={filter} onChange={onChange} />
      </div>
      <div id={panel} hidden={!open}>
        {open && <FilterPanel filter={filter} tags={tags} today={today} onChange={onChange} />}
      </div>
      {(conditions.length > 0 || filter.search) && (
        <div className="mt-2 flex flex-wrap items-center gap-1.5">
          {conditions.map((one) => (
            <button
              key={one.key}
              type="button"
              aria-label={t.filter.remove(one.label)}
              onClick={() => onChange(one.without)}
              className="inline-flex h-7 max-w-full items-center gap-1 rounded-md bg-accent-wash pr-1.5 pl-2.5 text-xs font-medium text-accent hover:opacity-80"
            >
              <span dir="auto" className="truncate">
                {one.label}
              </span>
              <Icon name="close" className="size-3.5" />
            </button>
          ))}
          {children}
        </div>
      )}
    </div>
  );
}

function withSearch(filter: Filter, search: string): Filter {
  return search.trim() ? { ...filter, search: search.trim() } : without(filter, 'search');
}

/** How long a search rests before the list follows, in milliseconds. */
const rest = 120;

/** The search field. `/` leads to it; Escape empties it and, once it is empty, leaves it. */
function Search({ value, onChange }: { value: string; onChange: (search: string) => void }) {
  const [draft, setDraft] = useState<string>();
  const input = useRef<HTMLInputElement>(null);
  useActions({
    search: () => {
      input.current?.focus();
      input.current?.select();
    },
  });
  const tell = useRef(onChange);
  useEffect(() => {
    tell.current = onChange;
  });
  useEffect(() => {
    if (draft === undefined || draft.trim() === value) return;
    const timer = setTimeout(() => tell.current(draft), rest);
    return () => clearTimeout(timer);
  }, [draft, value]);
  const finish = () => {
    if (draft !== undefined && draft.trim() !== value) onChange(draft);
    setDraft(undefined);
  };
  return (
    <div className="relative min-w-0 grow">
      <Icon
        name="search"
        className="pointer-events-none absolute top-1/2 left-2.5 size-4.5 -translate-y-1/2 text-soft"
      />
      <input
        ref={input}
        type="search"
        aria-label={t.filter.search}
        placeholder={t.filter.search}
        aria-keyshortcuts={useCharacters() ? '/' : undefined}
        maxLength={255}
        value={draft ?? value}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={finish}
        onKeyDown={(event) => {
          if (event.key === 'Enter') finish();
          if (event.key !== 'Escape') return;
          event.preventDefault();
          if ((draft ?? value) === '') event.currentTarget.blur();
          else setDraft('');
        }}
        className="h-9 w-full rounded-md border border-transparent bg-transparent pr-2 pl-9 hover:bg-hover focus:border-line focus:bg-surface"
      />
    </div>
  );
}

const sortKeys = ['due_date', 'priority', 'title', 'created_at', 'updated_at'] as const satisfies SortKey[];

function Sort({ filter, onChange }: Pick<Props, 'filter' | 'onChange'>) {
  const { sortBy, descending, ...rest } = filter;
  const down = descending ?? (sortBy !== 'due_date' && sortBy !== 'title');
  return (
    <div className="flex items-center">
      <select
        aria-label={t.filter.sort}
        value={sortBy ?? ''}
        onChange={(event) => {
          const key = sortKeys.find((k) => k === event.target.value);
          onChange(key ? { ...rest, sortBy: key } : rest);
        }}
        className="h-9 max-w-32 cursor-pointer rounded-md bg-transparent px-2 text-sm font-medium text-soft hover:bg-hover hover:text-ink"
      >
        <option value="">{t.filter.byDay}</option>
        {sortKeys.map((key) => (
          <option key={key} value={key}>
            {t.filter.sortKeys[key]}
          </option>
        ))}
      </select>
      {sortBy && (
        <IconButton
          icon={down ? 'down' : 'up'}
          label={down ? t.filter.descending : t.filter.ascending}
          onClick={() => onChange({ ...rest, sortBy, descending: !down })}
        />
      )}
    </div>
  );
}
