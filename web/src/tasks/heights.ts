import type { Task } from '../replica/types';

/** How high the heading of a group is, in pixels. */
export const heading = 53;

/**
 * How high the row of a task is as long as nothing wraps, in pixels at the browser's own size of text. The list is right
 * from the start by that: a row that turns out higher or lower when it is drawn moves all below it, and costs a second
 * drawing for each row that scrolls into sight. `saysDue`: its heading says the day.
 */
export function heightOf(task: Task, saysDue: boolean): number {
  if (task.tags.length > 0) return 66;
  const day = task.due_date !== null && !(saysDue && task.due_date.length === '2026-03-31'.length);
  if (day || task.recurrence_pattern !== null || task.priority !== 'medium') return 64;
  const icons = task.description !== '' || (task.due_date !== null && task.reminder_minutes.length > 0);
  return icons ? 60 : 48;
}
