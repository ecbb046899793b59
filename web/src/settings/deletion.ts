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
 * Deletes the account of the user with that id, as the server sees them, and of no other. Where no answer says what became of it, tells
 * `onDoubt` and asks the server who is signed in until it answers: it does not know the user of a deleted account, nor who has just been signed out
 * elsewhere. Fails with an {@link Invalid} if the account is still there then.
 */
export async function deleteAccount(
  user: string,
  proof: OwnerProof,
  onDoubt: () => void,
  signal: AbortSignal,
) {
  try {
    await call('delete', '/api/me', { body: proof, user });
  } catch (error) {
    if (answered(error)) throw error;
    onDoubt();
    if (await isThere(user, signal)) throw new Invalid({ account: t.deletion.notDeleted });
  }
}

/** Whether the account is there, as soon as the server says so. */
async function isThere(user: string, signal: AbortSignal): Promise<boolean> {
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
