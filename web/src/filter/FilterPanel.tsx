import { useId, useState, type ReactNode, type SyntheticEvent } from 'react';
import { Icon } from '../design/Icon';
import { fold } from '../replica/fold';
import { t } from '../text';
import { daysOf, withDays } from './conditions';
import { rangeOf, ranges, without, type Filter } from './url';

interface Props {
  filter: Filter;
  tags: readonly string[];
  today: string;
  onChange: (filter: Filter) => void;
}

/** The conditions, all at once: each a group of buttons that stay pressed. */
export function FilterPanel(props: Props) {
  return (
    <div className="mt-2 grid animate-appear gap-x-8 gap-y-4 rounded-lg border border-line bg-surface p-4 md:grid-cols-2">
      <Priorities {...props} />
      <Statuses {...props} />
      <DueRange {...props} />
      <Tags {...props} />
    </div>
  );
}

function Field({ legend, children }: { legend: string; children: ReactNode }) {
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1.5 text-xs font-medium text-soft">{legend}</legend>
      <div className="flex flex-wrap gap-1.5">{children}</div>
    </fieldset>
  );
}

const pill =
  'inline-flex h-8 cursor-pointer items-center gap-1.5 rounded-md border border-line px-2.5 text-sm text-soft transition-colors hover:bg-hover has-checked:border-accent has-checked:bg-accent-wash has-checked:text-accent has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent';

function Pill({
  type = 'checkbox',
  name,
  checked,
  onChange,
  children,
}: {
  type?: 'checkbox' | 'radio';
  name?: string;
  checked: boolean;
  onChange: () => void;
  children: ReactNode;
}) {
  return (
    <label className={`relative ${pill}`}>
      <input
        type={type}
        name={name}
        checked={checked}
        onChange={onChange}
        className="absolute inset-0 cursor-pointer opacity-0"
      />
      {children}
    </label>
  );
}

/** The list with a value in it, or without. */
function toggled<T>(list: readonly T[] | undefined, value: T): T[] {
  return list?.includes(value) ? list.filter((v) => v !== value) : [...(list ?? []), value];
}

/** The filter with one member, or without where that says nothing. */
function having<K extends 'priorities' | 'statuses' | 'tags'>(
  filter: Filter,
  name: K,
  list: Filter[K],
): Filter {
  return list && list.length > 0 ? { ...filter, [name]: list } : without(filter, name);
}

function Priorities({ filter, onChange }: Props) {
  const colours = { high: 'text-late', medium: 'text-soft', low: 'text-low' };
  return (
    <Field legend={t.filter.priority}>
      {(['high', 'medium', 'low'] as const).map((p) => (
        <Pill
          key={p}
          checked={filter.priorities?.includes(p) ?? false}
          onChange={() => onChange(having(filter, 'priorities', toggled(filter.priorities, p)))}
        >
          <Icon name="flag" className={`size-4 ${colours[p]}`} />
          {t.priorities[p]}
        </Pill>
      ))}
    </Field>
  );
}

function Statuses({ filter, onChange }: Props) {
  return (
    <Field legend={t.filter.status}>
      {(['pending', 'completed'] as const).map((s) => (
        <Pill
          key={s}
          checked={filter.statuses?.includes(s) ?? false}
          onChange={() => onChange(having(filter, 'statuses', toggled(filter.statuses, s)))}
        >
          {t.filter.statuses[s]}
        </Pill>
      ))}
    </Field>
  );
}

function DueRange({ filter, today, onChange }: Props) {
  const name = useId();
  const chosen = rangeOf(filter);
  const { from = '', to = '' } = daysOf(filter, today);
  const day = 'h-8 rounded-md border border-edge bg-surface px-2 text-sm text-ink';
  return (
    <Field legend={t.filter.due}>
      {(Object.keys(ranges) as (keyof typeof ranges)[]).map((range) => (
        <Pill
          key={range}
          type="radio"
          name={name}
          checked={chosen === range}
          onChange={() => onChange({ ...without(filter, 'dueAfter', 'dueBefore'), ...ranges[range] })}
        >
          {t.filter.ranges[range]}
        </Pill>
      ))}
      <span className="flex flex-wrap gap-x-3 gap-y-1.5 text-sm text-soft">
        <label className="flex items-center gap-1.5">
          {t.filter.fromDay}
          <input
            type="date"
            value={from}
            min="1970-01-02"
            max={to || '9999-12-30'}
            onChange={(event) => onChange(withDays(filter, event.target.value, to))}
            className={day}
          />
        </label>
        <label className="flex items-center gap-1.5">
          {t.filter.toDay}
          <input
            type="date"
            value={to}
            min={from || '1970-01-02'}
            max="9999-12-30"
            onChange={(event) => onChange(withDays(filter, from, event.target.value))}
            className={day}
          />
        </label>
      </span>
    </Field>
  );
}

/** How many tags have a button; the others are found by typing. */
const offered = 8;

function Tags({ filter, tags, onChange }: Props) {
  const list = useId();
  const [text, setText] = useState('');
  const chosen = filter.tags ?? [];
  const has = (tag: string) => chosen.some((c) => fold(c) === fold(tag));
  const set = (tag: string) =>
    onChange(
      having(filter, 'tags', has(tag) ? chosen.filter((c) => fold(c) !== fold(tag)) : [...chosen, tag]),
    );
  const shown = [...chosen, ...tags.slice(0, offered).filter((tag) => !has(tag))];
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const tag = text.trim().replace(/^#/, '');
    if (tag && !has(tag)) set(tag);
    setText('');
  };
  return (
    <Field legend={t.filter.tags}>
      {shown.map((tag) => (
        <Pill key={tag} checked={has(tag)} onChange={() => set(tag)}>
          <span dir="auto" className="max-w-40 truncate">
            #{tag}
          </span>
        </Pill>
      ))}
      <form onSubmit={submit}>
        <input
          list={list}
          aria-label={t.filter.otherTag}
          placeholder={t.filter.otherTag}
          maxLength={50}
          value={text}
          onChange={(event) => setText(event.target.value)}
          className="h-8 w-36 rounded-md border border-edge bg-surface px-2 text-sm text-ink"
        />
        <datalist id={list}>
          {tags.slice(offered).map((tag) => (
            <option key={tag} value={tag} />
          ))}
        </datalist>
      </form>
    </Field>
  );
}
