import { useEffect, useRef, useState } from 'react';
import { follow, navigate } from '../app/router';
import { checkSession, comeBack } from '../app/session';
import { t } from '../text/providers';
import { Door } from './Door';
import { comesBackTo, providerFailure } from './provider';

/** The browser comes back from a provider: signs in, or connects the account of who is signed in. */
export function ComeBack() {
  const [failure, setFailure] = useState<string>();
  const started = useRef(false);
  useEffect(() => {
    if (started.current) return;
    started.current = true;
    const { pathname, search } = location;
    const query = new URLSearchParams(search);
    history.replaceState(null, '', pathname); // the code works once: keep it out of the history
    const code = query.get('code');
    const body = {
      provider: pathname.slice(comesBackTo.length),
      state: query.get('state') ?? '-',
      ...(code && { code }),
    };
    comeBack(body)
      .then(
        (connected) => navigate(connected ? '/security' : '/', true),
        (error: unknown) => setFailure(providerFailure(error)),
      )
      .finally(() => void checkSession()); // this browser may have been signed in all the same
  }, []);
  if (failure === undefined) {
    return (
      <p className="sr-only" role="status">
        {t.working}
      </p>
    );
  }
  return (
    <Door title={t.stopped}>
      <p role="alert" className="mt-3">
        {failure}
      </p>
      <p className="mt-6 text-center">
        <a href="/" onClick={follow} className="inline-block min-h-6 text-accent underline">
          {t.back}
        </a>
      </p>
    </Door>
  );
}
