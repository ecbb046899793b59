import { useEffect, useState } from 'react';
import { Button } from '../design/controls';
import { Failure } from '../design/Failure';
import { t } from '../text/passkeys';
import { hasPasskeys, offerPasskeys, passkeyFailure, signInWithPasskey } from './passkey';

/**
 * Signing in by a passkey, on the site's own pages, in a browser that has them; elsewhere nothing. Beside the button, the
 * browser offers them where the name is typed; not while the button asks, for it can do one of the two.
 */
export function PasskeyButton({ site }: { site: string | undefined }) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const here = site === location.origin && hasPasskeys();
  useEffect(() => {
    if (!here || busy) return;
    const leaving = new AbortController();
    void offerPasskeys(leaving.signal, (error) => setFailure(passkeyFailure(error)));
    return () => leaving.abort();
  }, [here, busy]);
  if (!here) return null;
  const enter = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      await signInWithPasskey();
    } catch (error) {
      setFailure(passkeyFailure(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="mt-3 space-y-3">
      <Button className="w-full" disabled={busy} onClick={() => void enter()}>
        {t.go}
      </Button>
      <Failure>{failure}</Failure>
    </div>
  );
}
