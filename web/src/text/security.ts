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
};

/** The texts. English is the one language so far. */
export const t: typeof en = en;
