import { useEffect, useState } from 'react';
import { call, type Schemas } from '../api/client';

/** What this server offers to who is not signed in; undefined as long as it has not said so. */
export function useOptions(): Schemas['Options'] | undefined {
  const [options, setOptions] = useState<Schemas['Options']>();
  useEffect(() => {
    const gone = new AbortController();
    call('get', '/api/session/options', { signal: gone.signal }).then(
      ({ body }) => setOptions(body),
      () => undefined, // nothing is offered then; signing in says what is wrong
    );
    return () => gone.abort();
  }, []);
  return options;
}
