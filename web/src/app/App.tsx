import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react';
import { SigningOut } from '../changes/SigningOut';
import { clearToasts, ToastRegion } from '../design/toast';
import { Replica, ReplicaProvider } from '../replica/store';
import { ErrorBoundary } from './ErrorBoundary';
import { usePlace } from './router';
import { useSession, type User } from './session';
import { Shell } from './Shell';
import { UserProvider } from './user';

/** The pages of who is not signed in; shown to others too, who may have followed a link. */
const doors = ['/signin', '/signup', '/reset', '/forgotten'];

/** Loaded by who is not signed in. */
const SignIn = lazy(() => import('../signin/SignIn'));

export function App() {
  const session = useSession();
  const { path } = usePlace();
  const user = 'user' in session ? session.user : undefined;
  const door = doors.includes(path) || path.startsWith('/signin/callback/');
  const [began] = useState(door); // a link leaves its address at once: what becomes of it is told all the same
  const locked = session.state !== 'signed-in' || door;
  return (
    <ErrorBoundary>
      {user && (
        <Locked when={locked}>
          <SignedIn key={user.id} user={user} />
        </Locked>
      )}
      {(door || (locked && (began || session.state !== 'unknown'))) && ( // most who come by another address are signed in
        <Suspense>
          <SignIn session={session} />
        </Suspense>
      )}
      <ToastRegion />
    </ErrorBoundary>
  );
}

/** Hides a page whose session has ended, as it is: who signs in again goes on where they were, also in mid-word. */
function Locked({ when, children }: { when: boolean; children: ReactNode }) {
  const focused = useRef<Element>(null);
  useLayoutEffect(() => {
    if (when) focused.current = document.activeElement;
    else if (focused.current instanceof HTMLElement) focused.current.focus();
  }, [when]);
  return (
    <div hidden={when} inert={when} className="h-full">
      {children}
    </div>
  );
}

/** Serves what is not in the replica: history, the inbox, tokens, the audit trail. */
function newQueries(): QueryClient {
  return new QueryClient({ defaultOptions: { queries: { staleTime: 10_000, retry: 1 } } });
}

function SignedIn({ user }: { user: User }) {
  const [queries] = useState(newQueries); // one for each user: what was answered to one is not for another
  useEffect(() => clearToasts, []); // they may name the user's tasks
  const replica = useOpenReplica(user);
  const expired = useSession().state === 'expired';
  useEffect(() => {
    if (replica && !expired) replica.wake();
  }, [replica, expired]);
  if (!replica) return null; // for the few milliseconds that the browser needs to open its storage
  return (
    <QueryClientProvider client={queries}>
      <UserProvider value={user}>
        <ReplicaProvider value={replica}>
          <Shell />
          <SigningOut />
        </ReplicaProvider>
      </UserProvider>
    </QueryClientProvider>
  );
}

/** Opens the user's replica for as long as the component is there. */
function useOpenReplica(user: User): Replica | undefined {
  const [replica, setReplica] = useState<Replica>();
  const [failure, setFailure] = useState<unknown>();
  const { id } = user;
  const reminders = JSON.stringify(user.reminder_minutes);
  useEffect(() => {
    let gone = false;
    let opened: Replica | undefined;
    Replica.open({ id, reminder_minutes: JSON.parse(reminders) as number[] }).then(
      (r) => {
        opened = r;
        if (gone) r.close();
        else setReplica(r);
      },
      (error: unknown) => setFailure(error),
    );
    return () => {
      gone = true;
      opened?.close();
    };
  }, [id, reminders]);
  if (failure) throw failure instanceof Error ? failure : new Error('The browser storage did not open.');
  return replica;
}
