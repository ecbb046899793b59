/**
 * Repetition as the editor shows it, read from and written to a recurrence pattern: a keyword (`weekly`) or an RFC 5545
 * RRULE. What the editor has no controls for stays a pattern that only the server understands. Pure.
 */
export const frequencies = ['daily', 'weekly', 'monthly', 'yearly'] as const;
export type Frequency = (typeof frequencies)[number];

export const weekdays = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const;
export type Weekday = (typeof weekdays)[number];

/** Which day of the month: that of the due date, a number (-1 is the last), or the nth weekday (-1 is the last). */
export type MonthDay =
  { kind: 'same' } | { kind: 'day'; day: number } | { kind: 'weekday'; nth: number; weekday: Weekday };

export type End = { kind: 'never' } | { kind: 'count'; count: number } | { kind: 'until'; day: string };

export interface Rule {
  frequency: Frequency;
  /** Every n days, weeks, months or years; from 1. */
  every: number;
  /** Weekly only; none is the weekday of the due date. */
  on: Weekday[];
  /** Monthly only. */
  monthDay: MonthDay;
  end: End;
}

export function simple(frequency: Frequency): Rule {
  return { frequency, every: 1, on: [], monthDay: { kind: 'same' }, end: { kind: 'never' } };
}

/** Reads a pattern; undefined if it says more than the editor can show. */
export function readRule(pattern: string): Rule | undefined {
  if (isFrequency(pattern)) return simple(pattern);
  const parts = new Map<string, string>();
  for (const part of pattern.replace(/^RRULE:/i, '').split(';')) {
    const [name = '', value = ''] = part.split('=');
    parts.set(name.toUpperCase(), value.toUpperCase());
  }
  const take = (name: string): string | undefined => {
    const value = parts.get(name);
    parts.delete(name);
    return value;
  };
  const frequency = take('FREQ')?.toLowerCase();
  if (!frequency || !isFrequency(frequency)) return undefined;
  const rule = simple(frequency);
  rule.every = Number(take('INTERVAL') ?? 1);
  const end = readEnd(take('COUNT'), take('UNTIL'));
  if (!end) return undefined;
  rule.end = end;
  if (frequency === 'weekly') {
    const on = take('BYDAY')?.split(',') ?? [];
    if (!on.every(isWeekday)) return undefined;
    rule.on = on;
  }
  if (frequency === 'monthly') {
    const day = readMonthDay(take('BYMONTHDAY'), take('BYDAY'));
    if (!day) return undefined;
    rule.monthDay = day;
  }
  if (parts.get('WKST') === 'MO') parts.delete('WKST'); // the default (RFC 5545 §3.3.10)
  return parts.size === 0 && Number.isInteger(rule.every) && rule.every > 0 ? rule : undefined;
}

/** Writes a rule; as a keyword where there is one, which keeps to the end of short months. */
export function writeRule({ frequency, every, on, monthDay, end }: Rule): string {
  const parts = [`FREQ=${frequency.toUpperCase()}`];
  if (every > 1) parts.push(`INTERVAL=${every}`);
  if (frequency === 'weekly' && on.length > 0)
    parts.push(`BYDAY=${weekdays.filter((d) => on.includes(d)).join(',')}`);
  if (frequency === 'monthly' && monthDay.kind === 'day') parts.push(`BYMONTHDAY=${monthDay.day}`);
  if (frequency === 'monthly' && monthDay.kind === 'weekday')
    parts.push(`BYDAY=${monthDay.nth}${monthDay.weekday}`);
  if (end.kind === 'count') parts.push(`COUNT=${end.count}`);
  if (end.kind === 'until') parts.push(`UNTIL=${end.day.replaceAll('-', '')}`);
  return parts.length === 1 ? frequency : `RRULE:${parts.join(';')}`;
}

function readEnd(count: string | undefined, until: string | undefined): End | undefined {
  if (count !== undefined && until !== undefined) return undefined;
  if (count !== undefined)
    return /^[1-9]\d*$/.test(count) ? { kind: 'count', count: Number(count) } : undefined;
  if (until === undefined) return { kind: 'never' };
  const day = /^(\d{4})(\d\d)(\d\d)$/.exec(until);
  return day ? { kind: 'until', day: day.slice(1).join('-') } : undefined; // with a time: not shown here
}

function readMonthDay(day: string | undefined, weekday: string | undefined): MonthDay | undefined {
  if (day !== undefined && weekday !== undefined) return undefined;
  if (day !== undefined) return /^(-1|[1-9]\d?)$/.test(day) ? { kind: 'day', day: Number(day) } : undefined;
  if (weekday === undefined) return { kind: 'same' };
  const [, nth, name = ''] = /^\+?(-1|[1-5])([A-Z]{2})$/.exec(weekday) ?? [];
  return nth && isWeekday(name) ? { kind: 'weekday', nth: Number(nth), weekday: name } : undefined;
}

function isFrequency(text: string): text is Frequency {
  return (frequencies as readonly string[]).includes(text);
}

function isWeekday(text: string): text is Weekday {
  return (weekdays as readonly string[]).includes(text);
}
