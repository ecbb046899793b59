import type { BrowserContext } from 'playwright-core';
import type { Server } from './server';

/** The moment at which the pictures are taken: a Thursday morning in Berlin. */
export const moment = new Date('2026-06-04T09:41:00+02:00');

type Row = [due: string, title: string, more?: Record<string, unknown>];

/** What a person has to do around that Thursday. Dates are days from it, with a time if there is one. */
const rows: Row[] = [
  ['-2', 'Renew the passport', { priority: 'high', tags: ['errands'], reminder_minutes: [0] }],
  ['-1 18:00', 'Return the library books', { tags: ['errands'], reminder_minutes: [0] }],
  [
    '0 09:00',
    'Water the plants on the balcony',
    { tags: ['home'], recurrence_pattern: 'RRULE:FREQ=DAILY;INTERVAL=3', reminder_minutes: [0] },
  ],
  [
    '0 11:30',
    'Send the offer to Wójcik',
    {
      priority: 'high',
      tags: ['work'],
      description: 'Prices from **May**; ask Jan about the discount.\n\n- 40 chairs\n- 8 tables',
    },
  ],
  ['0 15:00', 'Dentist, bring the insurance card', { tags: ['health'] }],
  ['0', 'Buy oat milk and coffee', { tags: ['home'] }],
  ['0', 'Read the chapter on queues', { priority: 'low', tags: ['books'] }],
  ['1 10:00', 'Review the budget', { tags: ['work'], recurrence_pattern: 'weekly' }],
  ['1', 'Pick up the bicycle', { tags: ['errands'] }],
  ['2', 'Bake a cake for Mila’s birthday 🎂', { priority: 'high', tags: ['family'] }],
  ['2 14:00', 'Birthday party at the lake', { tags: ['family'] }],
  [
    '4 09:00',
    'Prepare the talk for the team',
    { tags: ['work'], description: 'Ten minutes, three pictures.' },
  ],
  ['5 17:00', 'Call Anna', { tags: ['family'], recurrence_pattern: 'weekly' }],
  ['7', 'Hand in the travel expenses', { tags: ['work'] }],
  ['12', 'Book the train to Lisbon', { tags: ['travel'] }],
  ['27 09:00', 'Pay the rent', { priority: 'high', tags: ['home'], recurrence_pattern: 'monthly' }],
  ['', 'Find a cabin for the autumn', { tags: ['travel'] }],
  ['', 'Learn the second Bach suite', { priority: 'low' }],
];
const finished = [
  'Order new running shoes',
  'Answer the letter from the school',
  'Cancel the old phone contract',
];

/** Fills the list of the user, in Berlin. Returns the id of the task that the panel is shown with. */
export async function fill(server: Server): Promise<string> {
  await server.api('PATCH', '/api/me', { time_zone: 'Europe/Berlin', name: 'Robin' });
  let shown = '';
  for (const [due, title, more] of rows) {
    const body = { title, due_date: due ? dateAt(due) : null, reminder_minutes: [], ...more };
    const task = (await (await server.api('POST', '/api/tasks', body)).json()) as { id: string };
    if (title.startsWith('Send the offer')) shown = task.id;
  }
  await server.api('PATCH', `/api/tasks/${shown}`, { title: 'Send the offer to Wójcik & Sons' });
  for (const title of finished) {
    const task = (await (await server.api('POST', '/api/tasks', { title })).json()) as { id: string };
    await server.api('POST', `/api/tasks/${task.id}/complete`);
  }
  return shown;
}

function dateAt(due: string): string {
  const [days = '', time] = due.split(' ');
  const day = new Date(moment.getTime() + Number(days) * 86_400_000).toISOString().slice(0, 10);
  return time ? `${day}T${time}:00` : day;
}

/**
 * Sets the page's clock to the moment. The server has the real one, so what it says has happened since `start` is moved
 * to the minutes before the moment: pictures are the same whenever they are made.
 */
export async function setClock(context: BrowserContext, start: number): Promise<void> {
  await context.clock.setFixedTime(moment);
  await context.route('**/api/**', async (route) => {
    const answer = await route.fetch();
    const text = (await answer.text()).replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (stamp) => {
      const since = Date.parse(stamp) - start;
      return since < -60_000
        ? stamp
        : new Date(moment.getTime() - 20 * 60_000 + (since % 60_000)).toISOString();
    });
    await route.fulfill({ response: answer, body: text });
  });
}
