import { call, Problem } from '../api/client';
import { Invalid } from '../app/submit';
import { pause } from '../replica/turn';
import { t } from '../text/account';

/** How long after a question without an answer the next one is asked at most, in milliseconds. */
const longestPause = 5_000;

/** What shows that it is the user who asks. */
export interface OwnerProof {
  password: string;
  second_factor?: string;
}

/**
 * Deletes the account of the user with that id, as the server sees them, and of no other; true: the server has said so. Where no
 * answer says what became of it, tells `onDoubt` and asks the server who is signed in until it answers. False: it does not know the
 * user any more, since the account is deleted or since they have just been signed out elsewhere. Fails with an {@link Invalid} if the
 * account is still there then.
 */
export async function deleteAccount(
  user: string,
  proof: OwnerProof,
  onDoubt: () => void,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await call('delete', '/api/me', { body: proof, user });
    return true;
  } catch (error) {
    if (answered(error)) throw error;
    onDoubt();
    if (await isKnown(user, signal)) throw new Invalid({ account: t.deletion.notDeleted });
    return false;
  }
}

/** Whether the server knows the user, as soon as it says so. */
async function isKnown(user: string, signal: AbortSignal): Promise<boolean> {
  for (let asked = 0; ; asked++) {
    await pause(Math.min(500 * 2 ** asked, longestPause), signal);
    try {
      await call('get', '/api/me', { user, signal });
      return true;
    } catch (error) {
      const heard = answered(error);
      if (heard && error.code === 'unauthorized') return false;
      if (heard || signal.aborted) throw error;
    }
  }
}

/** Whether the server has answered, and done what it will do about the request. */
function answered(error: unknown): error is Problem {
  return error instanceof Problem && (error.status === 429 || !error.passing);
}
