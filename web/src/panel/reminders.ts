/** Reminders in the largest unit that gives a whole number. Pure. */
export const unitMinutes = { minute: 1, hour: 60, day: 1440, week: 10_080 } as const;
export type ReminderUnit = keyof typeof unitMinutes;

/** Package task: minutes before the due date, and how many reminders a task may have. */
export const longest = 40_320;
export const mostReminders = 10;

/** What is offered first, in minutes. */
export const presets = [0, 5, 15, 30, 60, 120, 1440, 2880, 10_080] as const;

export function splitReminder(minutes: number): { n: number; unit: ReminderUnit } {
  for (const unit of ['week', 'day', 'hour'] as const) {
    if (minutes > 0 && minutes % unitMinutes[unit] === 0) return { n: minutes / unitMinutes[unit], unit };
  }
  return { n: minutes, unit: 'minute' };
}
