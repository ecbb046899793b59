/**
 * The date picker: quick picks, a month, a time, and words that the server understands. It knows days in the user's
 * time zone, and keeps a due date in the form it was given.
 *
 * [Task]: T006
 */
import { useState } from 'react';
import { Button } from '../design/controls';
import { locale } from '../text';
import { t } from '../text/details';
import { addDays, dayAt } from '../replica/due';
import { firstDayOfWeek, startOfWeek } from './calendar';
import { dueOf, partsOf, type DueParts, type Form } from './dueDate';
import { MonthGrid } from './MonthGrid';
import { Words } from './Words';
import { understandDate } from './understand';

interface Props {
  due: string | null;
  /** The present, in milliseconds since 1970. */
  now: number;
  zone: string;
  onChange: (due: string | null) => void;
}

export function DatePicker({ due, now, zone, onChange }: Props) {
  const today = dayAt(now, zone);
  const parts: DueParts = due ? partsOf(due, zone) : { form: 'date', day: '', time: '' };
  const change = (to: Partial<DueParts>) => onChange(dueOf({ ...parts, ...to }, zone));
  return (
    <div className="space-y-3">
      <QuickPicks
        today={today}
        hasDate={due !== null}
        onDay={(day) => change({ day })}
        onClear={() => onChange(null)}
      />
      <Words
        label={t.due.words}
        hint={t.due.wordsHint}
        notUnderstood={t.due.notUnderstood}
        unreachable={t.due.unreachable}
        understand={understandDate}
        onUnderstood={onChange}
      />
      <MonthGrid day={parts.day} today={today} onChoose={(day) => change({ day })} />
      <Time
        parts={parts}
        zone={zone}
        onChange={(form, time) => change({ form, time, day: parts.day || today })}
      />
    </div>
  );
}

interface QuickPicksProps {
  today: string;
  hasDate: boolean;
  onDay: (day: string) => void;
  onClear: () => void;
}

function QuickPicks({ today, hasDate, onDay, onClear }: QuickPicksProps) {
  const nextWeek = addDays(startOfWeek(today, firstDayOfWeek(locale)), 7);
  return (
    <div className="flex flex-wrap gap-1.5">
      <Button className="h-8 px-3" onClick={() => onDay(today)}>
        {t.due.today}
      </Button>
      <Button className="h-8 px-3" onClick={() => onDay(addDays(today, 1))}>
        {t.due.tomorrow}
      </Button>
      <Button className="h-8 px-3" onClick={() => onDay(nextWeek)}>
        {t.due.nextWeek}
      </Button>
      {hasDate && (
        <Button kind="quiet" className="h-8 px-3" onClick={onClear}>
          {t.due.clear}
        </Button>
      )}
    </div>
  );
}

interface TimeProps {
  parts: DueParts;
  zone: string;
  onChange: (form: Form, time: string) => void;
}

function Time({ parts, zone, onChange }: TimeProps) {
  const [draft, setDraft] = useState<string>();
  const time = draft ?? parts.time;
  const keep = () => {
    setDraft(undefined);
    if (draft === undefined || draft === parts.time) return;
    onChange(draft === '' ? 'date' : parts.form === 'date' ? 'floating' : parts.form, draft);
  };
  return (
    <div className="flex flex-wrap items-center gap-2">
      <label className="flex items-center gap-2 text-sm text-soft">
        {t.due.time}
        <input
          type="time"
          value={time}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={keep}
          onKeyDown={(event) => {
            if (event.key === 'Enter') keep();
          }}
          className="h-9 rounded-md border border-edge bg-surface px-2 text-ink"
        />
      </label>
      {parts.time === '' ? (
        <span className="text-sm text-soft">{parts.day && t.due.wholeDay}</span>
      ) : (
        <>
          <Button kind="quiet" className="h-9 px-2" onClick={() => onChange('date', '')}>
            {t.due.noTime}
          </Button>
          <select
            aria-label={t.due.meaning}
            value={parts.form}
            onChange={(event) => onChange(event.target.value as Form, parts.time)}
            className="h-9 max-w-full rounded-md border border-edge bg-surface px-2 text-sm"
          >
            <option value="floating">{t.due.floating}</option>
            <option value="zoned">{t.due.zoned(zone)}</option>
          </select>
        </>
      )}
    </div>
  );
}
