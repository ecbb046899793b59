import { addDays, dayAt, instant } from '../replica/due';
import { formatDue, t } from '../text';

/** A way to put a reminder off: what it is called, and until when, in milliseconds since 1970. */
export interface SnoozeChoice {
  label: string;
  until: number;
}

const minute = 60_000;

/** The choices at a moment: in ten minutes, in an hour, tomorrow at nine by the clocks of the zone. Pure. */
export function snoozeChoices(now: number, zone: string): SnoozeChoice[] {
  const tomorrow = addDays(dayAt(now, zone), 1);
  const nine = `${tomorrow}T09:00:00`;
  return [
    { label: t.reminder.choices.tenMinutes, until: now + 10 * minute },
    { label: t.reminder.choices.hour, until: now + 60 * minute },
    {
      label: t.reminder.choices.tomorrow(formatDue(nine, now, zone, false)),
      until: instant(nine, zone) * 1000,
    },
  ];
}

/**
 * What the server's message says beside the title, which stands before it: `Pay rent (due 5 June 2031, 09:00)` becomes
 * `due 5 June 2031, 09:00`. A message of another form stays whole. Pure.
 */
export function besideTitle(title: string, message: string): string {
  const rest = message.startsWith(title) ? message.slice(title.length).trim() : message;
  return /^\((.*)\)$/.exec(rest)?.[1] ?? rest;
}
