/** The English texts of those who are not signed in; loaded with their pages. See en.ts. */
const en = {
  title: 'Sign in',
  expired: 'You have been signed out. What you have typed is kept, and goes on when you sign in again.',
  working: 'Signing you in…',
  name: 'Name',
  password: 'Password',
  go: 'Sign in',
  wrong: 'There is no user of that name with that password.',
  needed: {
    name: 'Enter your name.',
    password: 'Enter your password.',
    code: 'Enter the code.',
  },
  factor: {
    title: 'One more step',
    how: (name: string) =>
      `The password of ${name} is right. Now enter the code that your authenticator app shows.`,
    howRecovery: 'Each of the codes that you have kept signs you in once.',
    code: 'Code',
    recoveryCode: 'Recovery code',
    go: 'Sign in',
    wrong: 'This is not the code, or it was used before: wait for the next one.',
    wrongRecovery: 'This is none of your recovery codes, or it was used before.',
    useRecovery: 'Use a recovery code instead',
    useApp: 'Use the authenticator app instead',
    back: 'Back',
    lost: 'Without the app and the codes, whoever runs this docket can switch the second step off for you.',
  },
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
  forgotten: {
    title: 'Forgot your password?',
    how: 'Whoever runs this docket makes you a link to set a new one, under “People” or by this command:',
    command: 'docket user password NAME',
  },
  signUp: {
    title: 'Make an account',
    offer: 'No account yet?',
    by: 'No account yet? Ask whoever runs this docket for an invitation.',
    as: (name: string) =>
      `You are signed in as ${name}. The new account takes their place in this browser; what of theirs waits to be sent stays here until they sign in again.`,
    back: 'Back to the tasks',
    nameHint: 'What you sign in with.',
    invitation: 'Invitation',
    invitationHint: 'The link you were sent, or only the code after its #.',
    notInvited: 'Making an account here needs an invitation: paste the whole link or its code.',
    refused: 'This invitation was used or revoked, or has ended: ask for a new one.',
    taken: 'Somebody here has this name already: choose another.',
    go: 'Make the account',
    closed: 'Nobody can make an account here themselves: ask whoever runs this docket for one.',
    signIn: 'Sign in instead',
  },
  reset: {
    title: 'A new password',
    hint: 'Setting it signs you out everywhere. Then sign in with it.',
    incomplete: 'This link is not whole: open all of it, up to its last letter.',
    password: 'New password',
    go: 'Set the password',
    refused: 'This link was used before, or is older than an hour: ask for a new one.',
    done: 'Your new password is set: sign in with it.',
  },
};

/** The texts. English is the one language so far. */
export const t: typeof en = en;
