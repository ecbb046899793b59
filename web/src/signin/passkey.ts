import { call, Problem } from '../api/client';
import { signInByPasskey } from '../app/session';
import { failureOf } from '../app/submit';
import { t } from '../text/passkeys';

/** Whether this browser reads and writes passkeys as the API has them (Web Authentication Level 3). */
export function hasPasskeys(): boolean {
  return (
    typeof PublicKeyCredential === 'function' &&
    'parseRequestOptionsFromJSON' in PublicKeyCredential &&
    'parseCreationOptionsFromJSON' in PublicKeyCredential
  );
}

/** Has the user choose a passkey, and signs in by it. */
export async function signInWithPasskey(): Promise<void> {
  await signInByPasskey(await choosePasskey({}));
}

/** Has the user choose a passkey for a new attempt to sign in. */
async function choosePasskey(options: { mediation?: 'conditional'; signal?: AbortSignal }): Promise<unknown> {
  const { signal } = options;
  const { public_key } = (await call('post', '/api/session/passkey/start', signal && { signal })).body;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
    public_key as PublicKeyCredentialRequestOptionsJSON,
  );
  const credential = await navigator.credentials.get({ publicKey, ...options });
  return (credential as PublicKeyCredential).toJSON();
}

/** How long an offer stands, in milliseconds: less than the ten minutes of its attempt. */
const offered = 9 * 60_000;

/**
 * Offers the user's passkeys among what the browser fills the field of the name with (Web Authentication Level 3, conditional
 * mediation), until one has signed in or `leaving` is aborted; `onFailure` gets why one that was chosen has not. The offer is made
 * anew before its attempt ends, but only in a tab that is seen: a browser has one attempt at a time, of the tab that began last.
 */
export async function offerPasskeys(
  leaving: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<void> {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable())) return;
  for (;;) {
    await seen(leaving);
    if (leaving.aborted) return;
    const over = AbortSignal.any([leaving, AbortSignal.timeout(offered)]);
    // No offer is no failure: the button is there.
    const chosen = await choosePasskey({ mediation: 'conditional', signal: over }).catch(() => undefined);
    if (chosen !== undefined) {
      try {
        await signInByPasskey(chosen);
        return;
      } catch (error) {
        onFailure(error);
      }
    }
    await aborted(over);
  }
}

/** Waits until the tab is the one that shows, or the signal is aborted. */
function seen(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (document.visibilityState === 'visible') resolve();
    };
    document.addEventListener('visibilitychange', look, { signal });
    void aborted(signal).then(resolve);
    look();
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Has the user's device make a passkey, and adds it to the account. */
export async function addPasskey(
  name: string,
  proof: { password: string; second_factor?: string },
): Promise<void> {
  const { attempt, public_key } = (await call('post', '/api/me/passkeys/start', { body: proof })).body;
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
    public_key as PublicKeyCredentialCreationOptionsJSON,
  );
  const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
  await call('post', '/api/me/passkeys', {
    body: { attempt, credential: made.toJSON(), ...(name && { name }) },
  });
}

/** What went wrong with a passkey, in words for people. */
export function passkeyFailure(error: unknown): string | undefined {
  if (error instanceof DOMException) return t.stopped[error.name] ?? error.message;
  const known = error instanceof Problem ? t.refused[error.code] : undefined;
  return known ?? failureOf(error);
}
