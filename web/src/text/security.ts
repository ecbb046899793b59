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
  factor: {
    title: 'Second step at sign-in',
    hint: 'Besides your password, signing in then takes a code of an authenticator app: who learns your password alone stays out.',
    setUp: 'Set it up',
    password: 'Your password',
    needsPassword: 'It goes with a password: set one above first.',
    next: 'Next',
    cancel: 'Cancel',
    scan: 'Scan this with an authenticator app on your phone.',
    picture: 'QR code for an authenticator app; the secret below says the same',
    type: 'Or type this secret into the app:',
    openApp: 'Open it in an app on this device',
    first: 'Code that the app shows now',
    wrong:
      'This is not the code, or it was used before: wait for the next one, and see that the clock of your phone is right.',
    tooLate: 'This was begun more than an hour ago, or again elsewhere: set it up anew.',
    switchOn: 'Switch it on',
    on: (since: string) => `It is on since ${since}.`,
    left: (n: number) =>
      n === 0
        ? 'No recovery code is left: make new ones.'
        : n === 1
          ? '1 recovery code is left.'
          : `${n} recovery codes are left.`,
    code: 'Code',
    codeHint: 'Of the authenticator app, or a recovery code.',
    codeNeeded: 'Enter a code.',
    passwordNeeded: 'Enter your password.',
    renew: 'Make new recovery codes',
    renewHint: 'The ones you have stop working.',
    off: 'Switch it off',
    offHint: 'From then on your password alone signs you in.',
    isOff: 'The second step is off.',
    codes: 'Your recovery codes',
    keep: 'Each signs you in once, in place of a code of the app: they are the way in when your phone is lost. Keep them where you would find them then. They are not shown again.',
    download: 'Save as a file',
    file: 'docket-recovery-codes.txt',
    kept: 'I have kept them',
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
      reset_link_sent: 'Link for a new password sent by e-mail',
      second_factor_on: 'Second step switched on',
      second_factor_off: 'Second step switched off',
      recovery_codes_renewed: 'New recovery codes made',
      connection_added: 'Account connected',
      connection_removed: 'Account disconnected',
      passkey_added: 'Passkey added',
      passkey_removed: 'Passkey removed',
      passkey_refused: 'A passkey was refused that may have been copied',
    } satisfies Record<Schemas['Access']['kind'], string>,
    failures: (n: number) => `${n} tries to sign in failed`,
    all: (n: number) => `Show all ${n}`,
  },
};

/** The texts. English is the one language so far. */
export const t: typeof en = en;
