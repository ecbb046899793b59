/** The filter of the trail in the address: `/activity?type=task.completed&of=<task>&from=<day>&to=<day>`. Pure. */
import { eventTypes, type EventType, type TrailFilter } from '../history/trail';
import { addDays, instant } from '../replica/due';

/** What is asked for; a day is one of the user's zone, and `to` is the last. What the address has wrong is left out. */
export interface ActivityFilter {
  type: EventType | '';
  of: string;
  from: string;
  to: string;
}

export function readActivity(query: URLSearchParams): ActivityFilter {
  const type = query.get('type') ?? '';
  const of = query.get('of') ?? '';
  const day = (name: string) => {
    const text = query.get(name) ?? '';
    return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : '';
  };
  return {
    type: (eventTypes as readonly string[]).includes(type) ? (type as EventType) : '',
    of: isTaskId(of) ? of : '',
    from: day('from'),
    to: day('to'),
  };
}

export function isTaskId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** The address of a filter, with what else is in the query. */
export function activityAddress(filter: Partial<ActivityFilter>, query: URLSearchParams): string {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries<string>(filter)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  return next.size > 0 ? `/activity?${next.toString()}` : '/activity';
}

/** What the server is asked: days as moments. */
export function trailFilter({ type, of, from, to }: ActivityFilter, zone: string): TrailFilter {
  const start = (day: string) => new Date(instant(`${day}T00:00:00`, zone) * 1000).toISOString();
  return {
    ...(of && { task: of }),
    ...(type && { types: [type] }),
    ...(from && { from: start(from) }),
    ...(to && { to: start(addDays(to, 1)) }),
  };
}
