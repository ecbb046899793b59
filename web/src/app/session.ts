import { useSyncExternalStore } from 'react';
import { closeNotifications, turnOffPush } from '../notifications/push';
import { call, Problem, whenSignedOut, type Schemas } from '../api/client';
import { forgetDrafts } from './drafts';
import { navigate } from './router';

export type User = Schemas['User'];

/**
 * Who uses this browser. `unknown`: the server has not answered yet, and nobody has signed in here before · `expired`:
 * the server does not know the user any more; their page waits behind the sign-in, with all that was typed.
 */
export type Session =
  { state: 'unknown' | 'unreachable' | 'signed-out' } | { state: 'signed-in' | 'expired'; user: User };

const storage = 'docket.user';
const expired = 'docket.expired';
let session: Session = remembered();
const subscribers = new Set<() => void>();

/** Tells the other tabs that the session has changed, or the settings of its user. */
const tabs = new BroadcastChannel('docket-session');
tabs.onmessage = (event: MessageEvent<'signed in' | 'signed out' | 'changed'>) => {
  if (event.data === 'signed out') set({ state: 'signed-out' });
  else void checkSession();
};

function set(next: Session): void {
  const [before, after] = [session, next].map((s) => ('user' in s ? s.user.id : undefined));
  if (before && before !== after) {
    navigate('/', true); // where one was is not for another to see, nor of what one was reminded
    void closeNotifications();
  }
  session = next;
  try {
    if ('user' in next) localStorage.setItem(storage, JSON.stringify(next.user));
    if (next.state === 'signed-out') localStorage.removeItem(storage);
    if (next.state === 'expired') localStorage.setItem(expired, 'yes');
    else localStorage.removeItem(expired);
  } catch {
    // The browser stores nothing: the next start asks the server.
  }
  subscribers.forEach((tell) => tell());
}

/** The user who was signed in last: their tasks show at once, also without a network. The server has the last word. */
function remembered(): Session {
  try {
    const user = JSON.parse(localStorage.getItem(storage) ?? 'null') as User | null;
    if (!user) return { state: 'unknown' };
    return { state: localStorage.getItem(expired) ? 'expired' : 'signed-in', user };
  } catch {
    return { state: 'unknown' };
  }
}

/** Whoever was signed in may have something unsent: only signing out forgets them. */
function lost(): void {
  if (session.state === 'signed-in') set({ state: 'expired', user: session.user });
  else if (!('user' in session) && session.state !== 'signed-out') set({ state: 'signed-out' });
}

/** Takes in what the server says of the user after a change of the settings. */
export function setUser(user: User): void {
  set({ state: 'signed-in', user });
  tabs.postMessage('changed');
}

/** Asks the server who is signed in. */
export async function checkSession(): Promise<void> {
  whenSignedOut((other) => (other ? void checkSession() : lost()));
  try {
    set({ state: 'signed-in', user: (await call('get', '/api/me')).body });
  } catch (error) {
    const answered = error instanceof Problem && error.status === 401;
    if (!answered && session.state === 'unknown') set({ state: 'unreachable' });
  }
}

/** What shows who somebody is: the one-time code of a sign-in link, or a name and its password. */
export type Proof = { code: string } | Password;

/** A name and its password, and a code where the account has a second factor. */
export interface Password {
  name: string;
  password: string;
  second_factor?: string;
}

/** Turns a proof into a session. */
export async function signIn(proof: Proof): Promise<void> {
  const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  enter((await call('post', '/api/session', { body: { ...proof, time_zone } })).body.user);
}

/** Makes an account, and a session of it. */
export async function signUp(account: {
  name: string;
  password: string;
  invitation?: string;
}): Promise<void> {
  const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  enter((await call('post', '/api/accounts', { body: { ...account, time_zone } })).body.user);
}

/** Comes back from a provider; true: who was signed in is connected with their account there now. */
export async function comeBack(body: { provider: string; state: string; code?: string }): Promise<boolean> {
  const { user, connected } = (await call('post', '/api/session/openid/finish', { body })).body;
  enter(user);
  return connected;
}

/** Signs in by what the browser has got of a passkey. */
export async function signInByPasskey(credential: unknown): Promise<void> {
  const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  enter((await call('post', '/api/session/passkey/finish', { body: { credential, time_zone } })).body.user);
}

function enter(user: User): void {
  set({ state: 'signed-in', user });
  tabs.postMessage('signed in');
}

let askToSignOut: () => Promise<void> = () => endSession(() => Promise.resolve());

/** Sets who decides, while a page is there, whether signing out would lose anything; returns the way to stop. */
export function whenSigningOut(ask: () => Promise<void>): () => void {
  const before = askToSignOut;
  askToSignOut = ask;
  return () => (askToSignOut = before);
}

/** The user wants to sign out. */
export async function signOut(): Promise<void> {
  await askToSignOut();
}

/**
 * Ends the session, here and in every tab. Fails, changing nothing, if the server cannot be reached: only it can take
 * the cookie away. `forget` then makes this browser forget the user's tasks.
 */
export async function endSession(forget: () => Promise<void>): Promise<void> {
  if (!('user' in session)) return;
  const { user } = session;
  await turnOffPush().catch(() => undefined); // a subscription that is left is the next user's, or goes by itself
  try {
    await call('delete', '/api/session');
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401)) throw error;
  }
  await leave(user, forget);
}

/**
 * Ends, here and in every tab, a session that the server has ended already, as with the account of it. The cookie is worth
 * nothing then: it stays where the server cannot be reached to take it away.
 */
export async function endDeleted(forget: () => Promise<void>): Promise<void> {
  if (!('user' in session)) return;
  const { user } = session;
  await turnOffPush().catch(() => undefined);
  await call('delete', '/api/session').catch(() => undefined);
  await leave(user, forget);
}

async function leave(user: User, forget: () => Promise<void>): Promise<void> {
  set({ state: 'signed-out' });
  tabs.postMessage('signed out');
  forgetDrafts(user.id);
  await forget();
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
