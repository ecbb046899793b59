/** The English texts of forms that are sent to the server; loaded with them. See en.ts. */
const en = {
  show: 'Show',
  hide: 'Hide',
  shows: (label: string) => `Show: ${label}`,
  hides: (label: string) => `Hide: ${label}`,
  newPasswordHint:
    'At least 8 characters: a few words that do not belong together are good, and easy to keep.',
  shortPassword: 'A password has at least 8 characters: this one has fewer.',
  codeNeeded: 'Your account has a second step: enter a code as well.',
  wrongCode:
    'This is not the code, or it was used before: wait for the next one, and see that the clock of your phone is right.',
  unreachable: 'The server does not answer: perhaps nothing was changed. Try again in a moment.',
  tooMany: (seconds: number) =>
    seconds <= 90
      ? `That was tried too often. Wait ${seconds} seconds, then try again.`
      : `That was tried too often. Wait ${Math.ceil(seconds / 60)} minutes, then try again.`,
  tooManyAtAll: 'That was tried too often. Wait a minute, then try again.',
};

/** The texts. English is the one language so far. */
export const t: typeof en = en;
