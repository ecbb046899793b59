import { addDays, dayAt, dayOf, isOverdue } from '../replica/due';
import { find, type Query } from '../replica/query';
import type { Task } from '../replica/types';
import { formatDay, t } from '../text';

export const views = ['today', 'upcoming', 'all', 'done'] as const;
export type View = (typeof views)[number];

export function isView(name: string): name is View {
  return (views as readonly string[]).includes(name);
}

/** Tasks under one heading; a list sorted by something other than its days is one group without. */
export interface Group {
  key: string;
  heading: string | undefined;
  late: boolean;
  tasks: Task[];
}

/** What a view shows of the tasks that a filter leaves, grouped by day. Pure. */
export function listOf(tasks: Iterable<Task>, view: View, filter: Query, now: number, zone: string): Group[] {
  const today = dayAt(now, zone);
  const found = find(tasks, { ...base(view, today), ...filter }, zone);
  if (filter.sortBy)
    return found.length > 0 ? [{ key: 'all', heading: undefined, late: false, tasks: found }] : [];
  if (view === 'done') found.sort((a, b) => (b.completed_at ?? '').localeCompare(a.completed_at ?? ''));
  return grouped(found, (task) => headingOf(task, view, today, now, zone));
}

function base(view: View, today: string): Query {
  switch (view) {
    case 'today':
      return { statuses: ['pending'], dueBefore: addDays(today, 1), sortBy: 'due_date' };
    case 'upcoming':
      return { statuses: ['pending'], dueAfter: today, sortBy: 'due_date' };
    case 'all':
      return { statuses: ['pending'], sortBy: 'due_date' };
    case 'done':
      return { statuses: ['completed'] };
  }
}

type Heading = Omit<Group, 'tasks'>;

function headingOf(task: Task, view: View, today: string, now: number, zone: string): Heading {
  if (view === 'done') {
    const day = dayAt(Date.parse(task.completed_at ?? task.updated_at), zone);
    return { key: day, heading: formatDay(day, today), late: false };
  }
  if (isOverdue(task, now, zone)) return { key: 'overdue', heading: t.list.overdue, late: true };
  if (task.due_date === null) return { key: 'none', heading: t.list.noDate, late: false };
  const day = dayOf(task.due_date, zone);
  return { key: day, heading: formatDay(day, today), late: false };
}

function grouped(tasks: readonly Task[], headingOf: (task: Task) => Heading): Group[] {
  const groups = new Map<string, Group>();
  for (const task of tasks) {
    const heading = headingOf(task);
    const group = groups.get(heading.key);
    if (group) group.tasks.push(task);
    else groups.set(heading.key, { ...heading, tasks: [task] });
  }
  return [...groups.values()];
}

/** How many are pending in each view and under each tag. */
export interface Counts {
  views: Record<Exclude<View, 'done'>, number>;
  overdue: number;
  /** By number, the most used first. */
  tags: [tag: string, n: number][];
}

export function countsOf(tasks: Iterable<Task>, now: number, zone: string): Counts {
  const today = dayAt(now, zone);
  const counts: Counts = { views: { today: 0, upcoming: 0, all: 0 }, overdue: 0, tags: [] };
  const tags = new Map<string, { tag: string; n: number }>();
  for (const task of tasks) {
    if (task.status !== 'pending') continue;
    counts.views.all++;
    if (task.due_date !== null) counts.views[dayOf(task.due_date, zone) <= today ? 'today' : 'upcoming']++;
    if (isOverdue(task, now, zone)) counts.overdue++;
    for (const tag of task.tags) {
      const key = tag.toLowerCase();
      const held = tags.get(key);
      if (held) held.n++;
      else tags.set(key, { tag, n: 1 });
    }
  }
  counts.tags = [...tags.values()].map(({ tag, n }): [string, number] => [tag, n]);
  counts.tags.sort(([a, n], [b, m]) => m - n || a.localeCompare(b));
  return counts;
}
