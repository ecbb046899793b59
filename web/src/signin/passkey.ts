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
  const { public_key } = (await call('post', '/api/session/passkey/start')).body;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
    public_key as PublicKeyCredentialRequestOptionsJSON,
  );
  const credential = await navigator.credentials.get({ publicKey });
  await signInByPasskey((credential as PublicKeyCredential).toJSON());
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
