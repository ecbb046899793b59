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
