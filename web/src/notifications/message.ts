/** What a push message holds, as services/notification writes it. */
export interface PushMessage {
  /** Of the entry in the inbox. */
  notification_id: string;
  task_id: string;
  /** The task's title. */
  title: string;
  message: string;
  /** Whom it is for; absent in messages of older servers. */
  user_id?: string;
}

/** Reads a push message; undefined if it is none of ours. */
export function readPushMessage(text: string): PushMessage | undefined {
  try {
    const m = JSON.parse(text) as Partial<Record<keyof PushMessage, unknown>> | null;
    const { notification_id, task_id, title, message, user_id } = m ?? {};
    if (typeof notification_id !== 'string' || typeof task_id !== 'string') return undefined;
    if (typeof title !== 'string' || typeof message !== 'string') return undefined;
    return { notification_id, task_id, title, message, ...(typeof user_id === 'string' && { user_id }) };
  } catch {
    return undefined;
  }
}

/**
 * What the server's message says beside the title, which stands before it: `Pay rent (due 5 June 2031, 09:00)` becomes
 * `due 5 June 2031, 09:00`. A message of another form stays whole.
 */
export function besideTitle(title: string, message: string): string {
  const rest = message.startsWith(title) ? message.slice(title.length).trim() : message;
  return /^\((.*)\)$/.exec(rest)?.[1] ?? rest;
}
