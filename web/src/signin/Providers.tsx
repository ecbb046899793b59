import { useState } from 'react';
import { call, type Schemas } from '../api/client';
import { Button } from '../design/controls';
import { Failure } from '../design/Failure';
import { t } from '../text/providers';
import { providerFailure } from './provider';

/** A button for each service that one may sign in with; an account made by it uses the invitation up. */
export function Providers({
  list,
  invitation,
}: {
  list: Schemas['ProviderName'][] | undefined;
  invitation?: string;
}) {
  const [failure, setFailure] = useState<string>();
  if (!list?.length) return null;
  const leave = async (provider: string) => {
    setFailure(undefined);
    try {
      const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const body = { provider, time_zone, ...(invitation && { invitation }) };
      location.assign((await call('post', '/api/session/openid/start', { body })).body.url);
    } catch (error) {
      setFailure(providerFailure(error));
    }
  };
  return (
    <div className="mt-5 space-y-3 border-t border-line pt-5">
      {list.map(({ id, name }) => (
        <Button key={id} className="w-full" onClick={() => void leave(id)}>
          {t.go(name)}
        </Button>
      ))}
      <Failure>{failure}</Failure>
    </div>
  );
}
