import { useState, type SyntheticEvent } from 'react';
import { useNow } from '../app/clock';
import { useUser } from '../app/user';
import { Button } from '../design/controls';
import { Dialog } from '../design/Dialog';
import { addDays, dayAt, dayOf } from '../replica/due';
import { useReplica } from '../replica/store';
import type { Task } from '../replica/types';
import { formatShortDay, t } from '../text';
import { moved } from './changes';

/** Which day the tasks are due on; each keeps its time. */
export default function DateDialog({ tasks, onClose }: { tasks: readonly Task[]; onClose: () => void }) {
  const replica = useReplica();
  const { time_zone: zone } = useUser();
  const today = dayAt(useNow(), zone);
  const [first] = tasks;
  const [day, setDay] = useState(first?.due_date ? dayOf(first.due_date, zone) : today);
  const choose = (chosen: string | undefined) => {
    onClose();
    const changes = moved(tasks, chosen, zone);
    if (changes.length > 0) void replica.change(...changes);
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (day) choose(day);
  };
  const weekday = new Date(`${today}T00:00:00Z`).getUTCDay();
  const monday = addDays(today, (8 - weekday) % 7 || 7);
  const saturday = addDays(today, (6 - weekday + 7) % 7 || 7);
  const presets: [label: string, day: string][] = [
    [t.date.today, today],
    [t.date.tomorrow, addDays(today, 1)],
    [t.date.weekend, saturday],
    [t.date.nextWeek, monday],
  ];
  return (
    <Dialog title={t.date.title(tasks.length, first?.title ?? '')} onClose={onClose}>
      <ul className="-mx-2">
        {presets.map(([label, on], i) => (
          <li key={label}>
            <button
              type="button"
              ref={i === 0 ? startHere : undefined}
              onClick={() => choose(on)}
              className="flex h-10 w-full items-center justify-between rounded-md px-2 -outline-offset-2 hover:bg-hover"
            >
              {label}
              <span className="text-sm text-soft">{formatShortDay(on)}</span>
            </button>
          </li>
        ))}
      </ul>
      <form onSubmit={submit} className="mt-3 flex flex-wrap items-end gap-2 border-t border-line pt-3">
        <label className="grow text-sm font-medium text-soft">
          {t.date.day}
          <input
            type="date"
            required
            min="1970-01-01"
            max="9999-12-31"
            value={day}
            onChange={(event) => setDay(event.target.value)}
            className="mt-1 block h-9 w-full rounded-md border border-edge bg-surface px-3 text-base text-ink"
          />
        </label>
        <Button type="submit" kind="primary">
          {t.date.set}
        </Button>
        <Button onClick={() => choose(undefined)}>{t.date.none}</Button>
      </form>
    </Dialog>
  );
}

/** showModal() looks for the attribute, which React's autoFocus does not set. */
export function startHere(element: HTMLElement | null): void {
  element?.setAttribute('autofocus', '');
}
