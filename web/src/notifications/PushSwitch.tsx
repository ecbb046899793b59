/**
 * The switch for notifications on this device, for the settings: the browser asks for permission when it is turned on, and
 * never before.
 *
 * [Task]: T052
 */
import { useEffect, useState } from 'react';
import { Problem } from '../api/client';
import { Switch } from '../design/controls';
import { t } from '../text';
import { NoPushService, pushState, turnOffPush, turnOnPush, type PushState } from './push';

export function PushSwitch() {
  const [state, setState] = useState<PushState>();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const look = () => pushState().then(setState);
  useEffect(() => {
    void look();
    const seen = () => void (document.visibilityState === 'visible' && look());
    document.addEventListener('visibilitychange', seen); // the permission may have been changed in between
    return () => document.removeEventListener('visibilitychange', seen);
  }, []);
  const change = async (on: boolean) => {
    setBusy(true);
    setFailure(undefined);
    try {
      await (on ? turnOnPush() : turnOffPush());
    } catch (error) {
      setFailure(t.push.failed(reasonOf(error)));
    }
    await look();
    setBusy(false);
  };
  const cannot = state === 'unsupported' || state === 'insecure' || state === 'denied';
  return (
    <>
      <Switch
        id="push"
        label={t.push.label}
        detail={cannot ? t.push[state] : t.push.detail}
        checked={state === 'on'}
        disabled={busy || cannot || !state}
        onChange={(event) => void change(event.target.checked)}
      />
      {failure && (
        <p role="alert" className="text-sm text-late">
          {failure}
        </p>
      )}
    </>
  );
}

function reasonOf(error: unknown): string {
  if (error instanceof Problem) return error.message;
  return error instanceof NoPushService ? t.push.noService : t.unreachable;
}
