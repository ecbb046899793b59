import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { ToastRegion } from '../design/toast';
import { Replica, ReplicaProvider } from '../replica/store';
import { SignIn } from '../signin/SignIn';
import { ErrorBoundary } from './ErrorBoundary';
import { usePlace } from './router';
import { useSession, type User } from './session';
import { Shell } from './Shell';
import { UserProvider } from './user';

/** Serves what is not in the replica: history, the inbox, tokens, the audit trail. */
const queries = new QueryClient({ defaultOptions: { queries: { staleTime: 10_000, retry: 1 } } });

export function App() {
  const session = useSession();
  const { path } = usePlace();
  return (
    <ErrorBoundary>
      {session.state === 'signed-in' && path !== '/signin' ? (
        <SignedIn key={session.user.id} user={session.user} />
      ) : (
        <SignIn state={session.state} />
      )}
      <ToastRegion />
    </ErrorBoundary>
  );
}

function SignedIn({ user }: { user: User }) {
  const replica = useOpenReplica(user);
  if (!replica) return null; // for the few milliseconds that the browser needs to open its storage
  return (
    <QueryClientProvider client={queries}>
      <UserProvider value={user}>
        <ReplicaProvider value={replica}>
          <Shell />
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
