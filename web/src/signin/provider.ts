import { Problem } from '../api/client';
import { failureOf } from '../app/submit';
import { t } from '../text/providers';

/** Where providers send the browser back to; the provider's id is behind it. */
export const comesBackTo = '/signin/callback/';

/** What went wrong on the way by a provider, in words for people. */
export function providerFailure(error: unknown): string | undefined {
  const known = error instanceof Problem ? t.refused[error.code] : undefined;
  return known ?? failureOf(error);
}
