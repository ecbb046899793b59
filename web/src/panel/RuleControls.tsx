import { t } from '../text/details';
import { weekdayNames } from '../text/moments';
import { control, WholeNumber } from './RecurrenceEditor';
import { weekdays, type End, type MonthDay, type Weekday } from './rule';

/** The days of the week; none is the weekday of the due date. */
export function WeekdayControls({ on, onChange }: { on: Weekday[]; onChange: (on: Weekday[]) => void }) {
  const long = weekdayNames('long');
  const short = weekdayNames('short');
  return (
    <div role="group" aria-label={t.repeat.on} className="flex gap-1">
      {weekdays.map((day, i) => (
        <button
          key={day}
          type="button"
          aria-label={long[i]}
          aria-pressed={on.includes(day)}
          onClick={() => onChange(on.includes(day) ? on.filter((d) => d !== day) : [...on, day])}
          className="size-9 rounded-full border border-line text-xs transition-colors hover:bg-hover aria-pressed:border-accent aria-pressed:bg-accent aria-pressed:text-on-accent"
        >
          {short[i]?.slice(0, 2)}
        </button>
      ))}
    </div>
  );
}

const ordinals = [1, 2, 3, 4, -1];

/** Which day of the month: one list holds all that can be meant. */
export function MonthDayControls({ day, onChange }: { day: MonthDay; onChange: (day: MonthDay) => void }) {
  const names = weekdayNames('long');
  const choices: MonthDay[] = [
    { kind: 'same' },
    ...[...Array.from({ length: 31 }, (_, i) => i + 1), -1].map((n) => ({ kind: 'day', day: n }) as const),
    ...ordinals.flatMap((nth) => weekdays.map((weekday) => ({ kind: 'weekday', nth, weekday }) as const)),
  ];
  const textOf = (one: MonthDay) => {
    if (one.kind === 'same') return t.repeat.monthDay.same;
    if (one.kind === 'day') return t.repeat.monthDay.day(one.day);
    return t.repeat.monthDay.nth(one.nth, names[weekdays.indexOf(one.weekday)] ?? one.weekday);
  };
  const keyOf = (one: MonthDay) => JSON.stringify(one);
  if (!choices.some((one) => keyOf(one) === keyOf(day))) choices.push(day); // the fifth Monday
  return (
    <label className="flex items-center gap-2 text-sm text-soft">
      {t.repeat.monthDay.label}
      <select
        value={keyOf(day)}
        onChange={(event) => onChange(JSON.parse(event.target.value) as MonthDay)}
        className={`${control} text-ink`}
      >
        {choices.map((one) => (
          <option key={keyOf(one)} value={keyOf(one)}>
            {textOf(one)}
          </option>
        ))}
      </select>
    </label>
  );
}

interface EndProps {
  end: End;
  onChange: (end: End) => void;
}

/** Where the series ends: never, after some occurrences, or on a day. */
export function EndControls({ end, onChange }: EndProps) {
  const choose = (kind: string) => {
    if (kind === 'count') onChange({ kind, count: 10 });
    else if (kind === 'until') onChange({ kind, day: nextYear() });
    else onChange({ kind: 'never' });
  };
  return (
    <div className="flex flex-wrap items-center gap-2">
      <label className="flex items-center gap-2 text-sm text-soft">
        {t.repeat.end.label}
        <select
          value={end.kind}
          onChange={(event) => choose(event.target.value)}
          className={`${control} text-ink`}
        >
          <option value="never">{t.repeat.end.never}</option>
          <option value="count">{t.repeat.end.count}</option>
          <option value="until">{t.repeat.end.until}</option>
        </select>
      </label>
      {end.kind === 'count' && (
        <span className="flex items-center gap-2 text-sm text-soft">
          <WholeNumber
            value={end.count}
            most={9999}
            label={t.repeat.end.times}
            onChange={(count) => onChange({ kind: 'count', count })}
          />
          {t.repeat.end.times}
        </span>
      )}
      {end.kind === 'until' && (
        <input
          type="date"
          aria-label={t.repeat.end.last}
          value={end.day}
          onChange={(event) => {
            if (event.target.value) onChange({ kind: 'until', day: event.target.value });
          }}
          className={control}
        />
      )}
    </div>
  );
}

/** A year from now: a first guess, shown to be changed. */
function nextYear(): string {
  const now = new Date();
  return new Date(Date.UTC(now.getFullYear() + 1, now.getMonth(), now.getDate())).toISOString().slice(0, 10);
}
