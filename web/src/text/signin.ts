/** The English texts of those who are not signed in; loaded with their pages. See en.ts. */
const en = {
  title: 'Sign in',
  expired: 'You have been signed out. What you have typed is kept, and goes on when you sign in again.',
  working: 'Signing you in…',
  name: 'Name',
  password: 'Password',
  go: 'Sign in',
  wrong: 'There is no user of that name with that password.',
  needed: { name: 'Enter your name.', password: 'Enter your password.' },
  link: {
    title: 'Sign in with a link',
    how: 'Open the sign-in link that docket printed when it first started, or paste it here, or only the code after its #.',
    code: 'Link or code',
    go: 'Sign in with it',
    incomplete: 'This is not a whole code: it is the 43 letters, digits, - and _ after the # of the link.',
    refused:
      'This link was used before, or is older than an hour: each works once. Sign in with your password, or make a new link.',
    newLink: 'No link, or one that no longer works? Where docket runs, this prints a new one:',
    command: 'docket link',
    elsewhere: 'A browser that is signed in makes one too: Settings, “Sign in on another device”.',
  },
  again: 'Try again',
};

/** The texts. English is the one language so far. */
export const t: typeof en = en;
