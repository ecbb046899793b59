import { useState } from 'react';
import { call, Problem, type Schemas } from '../api/client';
import { setUser } from '../app/session';
import { failureOf as inWords } from '../app/submit';
import { useUser } from '../app/user';
import { toast } from '../design/toast';
import { t } from '../text/account';

export interface Saving {
  busy: boolean;
  /** What the server said about a field of the last try; undefined is nothing. */
  complaint: (field: string) => string | undefined;
  /** What went wrong that is about no field. */
  failure: string | undefined;
  /** Saves a part of the settings; says whether that went well. */
  save: (patch: Schemas['UserPatch']) => Promise<boolean>;
}

/**
 * Saves settings. The server checks them: what it refuses changes nothing, and is shown at the field it is about. They
 * are saved only for what is seen here, so that two open pages do not silently undo each other.
 */
export function useSaving(fields: readonly string[]): Saving {
  const user = useUser();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const problem = error instanceof Problem ? error : undefined;
  const save = async (patch: Schemas['UserPatch']) => {
    setBusy(true);
    try {
      const { body } = await call('patch', '/api/me', { body: patch, ifMatch: `"${user.version}"` });
      setUser(body);
      setError(undefined);
      toast({ text: t.settings.saved, lasts: 2500 });
      return true;
    } catch (caught) {
      setError(caught);
      if (caught instanceof Problem && caught.status === 412) setUser((await call('get', '/api/me')).body);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return {
    busy,
    complaint: (field) => problem?.field(field),
    failure: failureOf(error, fields),
    save,
  };
}

function failureOf(error: unknown, fields: readonly string[]): string | undefined {
  if (error instanceof Problem && error.status === 412) return t.settings.stale;
  const said = error instanceof Problem && error.fields.some(({ field }) => fields.includes(field));
  return said ? undefined : inWords(error);
}
