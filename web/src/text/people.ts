/** The English texts of the page about other people's accounts; loaded with it. See en.ts. */
const en = {
  title: 'People',
  adminsOnly: 'This page is for administrators.',
  invitations: {
    title: 'Invitations',
    hint: 'Each lets one person make an account. Who has the link can use it.',
    closed:
      'Nobody can sign up here. Start docket with `--sign-up invitation`, or `--sign-up open`, to let people in.',
    open: 'Anybody can make an account here, also without an invitation.',
    none: 'None is open.',
    unnamed: 'For anybody',
    note: 'Whom is it for?',
    noteHint: 'For you to know later. They do not see it.',
    days: 'Good for',
    lasts: { '1': 'a day', '7': 'a week', '30': '30 days', '90': '90 days' } as Record<string, string>,
    make: 'Make an invitation',
    made: 'Send this link to whom you invite. It is not shown again.',
    link: 'Link of the invitation',
    ends: (when: string) => `ends ${when}`,
    revoke: 'Revoke',
    revokeOf: (note: string) => `Revoke the invitation: ${note}`,
    revoked: 'The invitation is revoked.',
  },
  reset: {
    title: 'Somebody forgot their password',
    hint: 'This makes a link by which they set a new one, once, within the hour. That signs them out everywhere. Make sure that it is they who ask.',
    name: 'Their name',
    needed: 'Enter their name.',
    unknown: 'Nobody here has this name.',
    make: 'Make a link',
    made: (name: string) => `Send this link to ${name}. It is not shown again.`,
    link: 'Link to set a new password',
  },
  gotIt: 'I have it',
};

/** The texts. English is the one language so far. */
export const t: typeof en = en;
