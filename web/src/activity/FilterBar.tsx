import { useState, type SyntheticEvent } from 'react';
import { Button, Chip } from '../design/controls';
import { eventTypes } from '../history/trail';
import { finder } from '../replica/fold';
import { useSnapshot } from '../replica/store';
import { t } from '../text/account';
import { isTaskId, type ActivityFilter } from './filter';

interface Props {
  filter: ActivityFilter;
  onChange: (part: Partial<ActivityFilter>) => void;
}

const control = 'h-9 rounded-md border border-edge bg-surface px-2 text-sm';

/** What of the trail is shown; the state is in the address. */
export function FilterBar({ filter, onChange }: Props) {
  const any = filter.type || filter.of || filter.from || filter.to;
  return (
    <div role="search" aria-label={t.activity.filter} className="mb-4 flex flex-wrap items-end gap-3">
      <label className="text-xs text-soft">
        <span className="mb-1 block">{t.activity.kind}</span>
        <select
          value={filter.type}
          onChange={(event) => onChange({ type: event.target.value as ActivityFilter['type'] })}
          className={`${control} text-ink`}
        >
          {['', ...eventTypes].map((type) => (
            <option key={type} value={type}>
              {t.activity.kinds[type]}
            </option>
          ))}
        </select>
      </label>
      {(['from', 'to'] as const).map((name) => (
        <label key={name} className="text-xs text-soft">
          <span className="mb-1 block">{t.activity[name]}</span>
          <input
            type="date"
            value={filter[name]}
            onChange={(event) => onChange({ [name]: event.target.value })}
            className={`${control} text-ink`}
          />
        </label>
      ))}
      <TaskChoice of={filter.of} onChange={(of) => onChange({ of })} />
      {any && (
        <Button kind="quiet" onClick={() => onChange({ type: '', of: '', from: '', to: '' })}>
          {t.activity.clear}
        </Button>
      )}
    </div>
  );
}

/** One task: the first whose title has what is typed, or the one with the id that is pasted. */
function TaskChoice({ of, onChange }: { of: string; onChange: (of: string) => void }) {
  const { tasks } = useSnapshot();
  const [text, setText] = useState('');
  const [missed, setMissed] = useState(false);
  if (of) {
    return (
      <div className="pb-1.5">
        <Chip tone="accent" onRemove={() => onChange('')} removeLabel={t.activity.anyTask}>
          {tasks.get(of)?.title ?? of}
        </Chip>
      </div>
    );
  }
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const wanted = text.trim();
    if (wanted === '') return;
    const has = finder(wanted);
    const found = isTaskId(wanted) ? wanted : [...tasks.values()].find(({ title }) => has(title))?.id;
    setMissed(found === undefined);
    if (found === undefined) return;
    setText('');
    onChange(found);
  };
  return (
    <form onSubmit={submit} className="text-xs text-soft">
      <label htmlFor="activity-task" className="mb-1 block">
        {t.activity.task}
      </label>
      <input
        id="activity-task"
        value={text}
        placeholder={t.activity.anyTask}
        autoComplete="off"
        aria-describedby={missed ? 'activity-task-error' : undefined}
        onChange={(event) => {
          setText(event.target.value);
          setMissed(false);
        }}
        className={`${control} w-44 text-ink`}
      />
      {missed && (
        <p id="activity-task-error" role="alert" className="mt-1 max-w-xs text-late">
          {t.activity.noSuchTask(text)}
        </p>
      )}
    </form>
  );
}
