import { useEffect, useState } from 'react';
import { call } from '../api/client';
import type { Understood } from './understood';

/** How long typing rests before the server is asked, and how long Enter waits for the answer, in milliseconds. */
const rest = 120;
const patience = 1_500;

/** Asks the server what a line of text means; parts of it that are in `plain` stay text. */
export async function understand(
  text: string,
  plain: readonly string[],
  signal: AbortSignal,
): Promise<Understood> {
  const body = { quick: text, ...(plain.length > 0 && { plain: [...plain] }) };
  return (await call('post', '/api/tasks/parse', { body, signal })).body;
}

/** The same for Enter: undefined if no answer comes in time. */
export async function understandNow(text: string, plain: readonly string[]): Promise<Understood | undefined> {
  return understand(text, plain, AbortSignal.timeout(patience)).catch(() => undefined);
}

interface Answer {
  to: string;
  understood: Understood | undefined;
}

export interface Understanding {
  /** The newest answer; while something is typed, that may be one to the text before. */
  understood: Understood | undefined;
  /** Whether it is the answer to the text as it is now. */
  fresh: boolean;
  /** Whether the server could not be asked. */
  away: boolean;
}

/** What the server understands of a text while it is typed. */
export function useUnderstood(text: string, plain: readonly string[]): Understanding {
  const [answer, setAnswer] = useState<Answer>();
  const question = JSON.stringify([text, plain]);
  useEffect(() => {
    if (text.trim() === '') return;
    const stop = new AbortController();
    const ask = async () => {
      const understood = await understand(text, plain, stop.signal).catch(() => undefined);
      if (!stop.signal.aborted) setAnswer({ to: question, understood });
    };
    const timer = setTimeout(() => void ask(), rest);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the question holds the text and what stays plain in it
  }, [question]);
  if (text.trim() === '') return { understood: undefined, fresh: false, away: false };
  const fresh = answer?.to === question;
  return { understood: answer?.understood, fresh, away: fresh && answer.understood === undefined };
}
