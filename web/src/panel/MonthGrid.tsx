import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { IconButton } from '../design/controls';
import { locale } from '../text';
import { t } from '../text/details';
import { formatDate } from '../text/moments';
import { addMonths, dayAfterKey, firstDayOfWeek, weeksOf } from './calendar';

interface Props {
  /** The chosen day; empty for none. */
  day: string;
  today: string;
  onChoose: (day: string) => void;
}

/**
 * A month of days, chosen by pointer or keys: arrows, Home and End in the week, Page Up and Down by month, with Shift
 * by year (ARIA Authoring Practices). Weeks begin as they do where the language is spoken.
 */
export function MonthGrid({ day, today, onChoose }: Props) {
  const first = firstDayOfWeek(locale);
  const [focused, setFocused] = useState(day || today);
  const [shownFor, setShownFor] = useState(day);
  if (shownFor !== day) {
    setShownFor(day); // chosen elsewhere: show its month
    if (day) setFocused(day);
  }
  const month = focused.slice(0, 7);
  const weeks = useMemo(() => weeksOf(month, first), [month, first]);
  const grid = useRef<HTMLTableElement>(null);
  const moved = useRef(false);
  useEffect(() => {
    if (moved.current) grid.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
    moved.current = false;
  }, [focused]);
  const onKeyDown = (event: KeyboardEvent) => {
    const to = dayAfterKey(focused, event.key, event.shiftKey, first);
    if (!to) return;
    event.preventDefault();
    moved.current = true;
    setFocused(to);
  };
  const title = formatDate(`${month}-01`, { month: 'long', year: 'numeric' });
  return (
    <div>
      <div className="flex items-center justify-between">
        <IconButton
          icon="back"
          label={t.due.previousMonth}
          onClick={() => setFocused(addMonths(focused, -1))}
        />
        <p aria-live="polite" className="text-sm font-medium">
          {title}
        </p>
        <IconButton
          icon="forward"
          label={t.due.nextMonth}
          onClick={() => setFocused(addMonths(focused, 1))}
        />
      </div>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-to-interactive-role -- a table is the grid of the ARIA practice */}
      <table ref={grid} role="grid" aria-label={title} onKeyDown={onKeyDown} className="w-full table-fixed">
        <thead>
          <tr>
            {weeks[0]?.map((one) => (
              <th
                key={one}
                scope="col"
                abbr={formatDate(one, { weekday: 'long' })}
                className="h-7 text-xs font-normal text-soft"
              >
                {formatDate(one, { weekday: 'short' }).slice(0, 2)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks.map((week) => (
            <tr key={week[0]}>
              {week.map((one) => (
                <Day
                  key={one}
                  day={one}
                  chosen={one === day}
                  focused={one === focused}
                  today={one === today}
                  inside={one.startsWith(month)}
                  onChoose={onChoose}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface DayProps {
  day: string;
  chosen: boolean;
  focused: boolean;
  today: boolean;
  inside: boolean;
  onChoose: (day: string) => void;
}

function Day({ day, chosen, focused, today, inside, onChoose }: DayProps) {
  const look = chosen
    ? 'bg-accent font-medium text-on-accent'
    : `hover:bg-hover ${today ? 'font-semibold text-accent' : inside ? '' : 'text-soft'}`;
  return (
    <td role="gridcell" aria-selected={chosen} className="p-0 text-center">
      <button
        type="button"
        tabIndex={focused ? 0 : -1}
        aria-label={formatDate(day, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' })}
        aria-current={today ? 'date' : undefined}
        onClick={() => onChoose(day)}
        className={`size-8 rounded-full text-sm tabular-nums transition-colors ${look}`}
      >
        {Number(day.slice(8))}
      </button>
    </td>
  );
}
