/** Words that the server understands (package quick): a date, or a repetition, and nothing else beside it. */
import { call } from '../api/client';

/** Stands for the title that quick add wants; what is left of the text beside it was not understood. */
const title = 'x';

async function parse(text: string) {
  const { body } = await call('post', '/api/tasks/parse', { body: { quick: `${title} ${text.trim()}` } });
  return body.title === title ? body : undefined;
}

/** The due date that a text means; undefined if it is not one. */
export async function understandDate(text: string): Promise<string | undefined> {
  const understood = await parse(text);
  return understood?.due_date || undefined;
}

/** The recurrence pattern that a text means; undefined if it is not one. */
export async function understandPattern(text: string): Promise<string | undefined> {
  const understood = await parse(text);
  return understood?.recurrence_pattern || undefined;
}
