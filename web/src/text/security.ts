import type { Schemas } from '../api/client';

/** The English texts of the page about signing in; loaded with it. See en.ts. */
const en = {
  title: 'Sign-in and security',
  password: {
    title: 'Password',
    hint: 'With your name and a password you sign in anywhere. Changing it signs out every other browser; API tokens stay.',
    user: 'Name',
    old: 'Present password',
    oldHint: 'Leave it empty if you have none yet.',
    fresh: 'New password',
    set: 'Set the password',
    done: 'Your password is set. Every other browser is signed out.',
  },
  sessions: {
    title: 'Where you are signed in',
    hint: 'If you do not know one of these, sign it out and change your password.',
    unknown: 'A browser',
    here: 'this browser',
    since: (when: string) => `signed in ${when}`,
    used: (when: string) => `used ${when}`,
    signOut: 'Sign out',
    signOutOf: (client: string, when: string) => `Sign out: ${client}, signed in ${when}`,
    signOutHere: 'Sign out: this browser',
    others: 'Sign out everywhere else',
    ended: 'Signed out there.',
    endedOthers: 'Signed out everywhere else.',
  },
  access: {
    title: 'What happened to your account',
    hint: 'Sign-ins and changes of what lets one in, of the last 90 days. If one was not you, change your password and sign out everywhere else.',
    none: 'Nothing yet.',
    unknown: 'a browser or program that does not say what it is',
    kinds: {
      signed_in: 'Signed in',
      sign_in_failed: 'A try to sign in failed',
      token_created: 'API token made',
      token_first_used: 'API token used for the first time',
      token_revoked: 'API token revoked',
      password_changed: 'Password changed',
      second_factor_on: 'Second step switched on',
      second_factor_off: 'Second step switched off',
      recovery_codes_renewed: 'New recovery codes made',
    } satisfies Record<Schemas['Access']['kind'], string>,
    failures: (n: number) => `${n} tries to sign in failed`,
    all: (n: number) => `Show all ${n}`,
  },
};

/** The texts. English is the one language so far. */
export const t: typeof en = en;
