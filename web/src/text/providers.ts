/** The English texts about signing in by way of another service; loaded with the pages that offer it. See en.ts. */
const en = {
  go: (name: string) => `Continue with ${name}`,
  or: 'or',
  working: 'Coming back…',
  stopped: 'That did not work',
  back: 'Go on to docket',
  refused: {
    provider_refused: 'You were not signed in there, or have said no. Try again.',
    provider_unavailable: 'That service cannot be asked just now. Try again later, or sign in another way.',
    invalid_attempt:
      'This was not begun in this browser, has taken longer than ten minutes, or is over already. Begin again.',
    no_account:
      'Nobody here is connected to that account. Sign in another way and connect it under “Sign-in and security”, or ask whoever runs this docket for an invitation.',
    connect_first:
      'There is an account with your address already. Sign in to it another way, and connect it under “Sign-in and security”.',
    connection_taken: 'That account is connected to another user of docket already.',
    invalid_invitation: 'The invitation was used, revoked or has expired. Ask for a new one.',
    last_way_in: 'This is the only way in that you have. Set a password first.',
  } as Partial<Record<string, string>>,
  connections: {
    title: 'Connected accounts',
    hint: 'With each of these you sign in without a password. docket does not ask for its second factor then: the other service has its own.',
    none: 'None yet.',
    connect: (name: string) => `Connect ${name}`,
    since: (when: string) => `connected ${when}`,
    remove: 'Disconnect',
    removeOf: (name: string, email: string) => `Disconnect: ${[name, email].filter(Boolean).join(', ')}`,
    removed: 'Disconnected.',
  },
};

/** The texts. English is the one language so far. */
export const t: typeof en = en;
