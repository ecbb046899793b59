import { useSyncExternalStore } from 'react';
import { turnOffPush } from '../notifications/push';
import { call, Problem, whenSignedOut, type Schemas } from '../api/client';

export type User = Schemas['User'];

/** Who uses this browser. `unknown`: the server has not answered yet, and nobody has signed in here before. */
export type Session =
  { state: 'unknown' | 'unreachable' | 'signed-out' } | { state: 'signed-in'; user: User };

const storage = 'docket.user';
let session: Session = remembered();
const subscribers = new Set<() => void>();

function set(next: Session): void {
  session = next;
  if (next.state === 'signed-in') localStorage.setItem(storage, JSON.stringify(next.user));
  if (next.state === 'signed-out') localStorage.removeItem(storage);
  subscribers.forEach((tell) => tell());
}

/** The user who was signed in last: their tasks show at once, also without a network. The server has the last word. */
function remembered(): Session {
  try {
    const user = JSON.parse(localStorage.getItem(storage) ?? 'null') as User | null;
    return user ? { state: 'signed-in', user } : { state: 'unknown' };
  } catch {
    return { state: 'unknown' };
  }
}

/** Asks the server who is signed in. */
export async function checkSession(): Promise<void> {
  whenSignedOut(() => {
    if (session.state !== 'signed-out') set({ state: 'signed-out' });
  });
  try {
    set({ state: 'signed-in', user: (await call('get', '/api/me')).body });
  } catch (error) {
    const answered = error instanceof Problem && error.status === 401;
    if (!answered && session.state === 'unknown') set({ state: 'unreachable' });
  }
}

/** Turns the one-time code of a sign-in link into a session. */
export async function signIn(code: string): Promise<void> {
  const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  set({
    state: 'signed-in',
    user: (await call('post', '/api/session', { body: { code, time_zone } })).body.user,
  });
}

export async function signOut(): Promise<void> {
  await turnOffPush().catch(() => undefined); // a subscription that is left is the next user's, or goes by itself
  await call('delete', '/api/session');
  set({ state: 'signed-out' });
}

export function useSession(): Session {
  return useSyncExternalStore(
    (tell) => {
      subscribers.add(tell);
      return () => subscribers.delete(tell);
    },
    () => session,
  );
}
