/** The English texts about passkeys; loaded with the pages that offer them. See en.ts. */
const en = {
  go: 'Sign in with a passkey',
  title: 'Passkeys',
  hint: 'A passkey is kept by a phone, a computer or a security key, and unlocked there by PIN, finger or face. It signs you in by itself: no password and no second step are asked for.',
  none: 'No passkey yet.',
  unavailable:
    'Passkeys need an address with a name. Whoever runs this docket has to name its https address (--public-url).',
  elsewhere: (site: string) => `Passkeys work at ${site}: open docket there to add one.`,
  unsupported: 'This browser has no passkeys, or is too old for them.',
  add: 'Add a passkey',
  name: 'What to call it',
  nameHint: 'Such as where it is kept. Without a name it is called as this browser.',
  password: 'Your password',
  passwordHint: 'Leave it empty if you have none.',
  code: 'Code of the second step, or a recovery code',
  next: 'Go on',
  cancel: 'Cancel',
  added: 'Passkey added.',
  since: (when: string) => `added ${when}`,
  used: (when: string) => `used ${when}`,
  unused: 'not used yet',
  synced: 'on several devices',
  useless: 'does not sign in',
  uselessHint: (host: string) =>
    `It was made at ${host}, where docket is not any more. Add one at the address that docket has now, then remove this one.`,
  at: (host: string) => `for ${host}`,
  rename: 'Rename',
  renameOf: (name: string) => `Rename: ${name}`,
  newName: 'New name',
  save: 'Save',
  remove: 'Remove',
  removeOf: (name: string) => `Remove: ${name}`,
  removed: 'Passkey removed. Your device still offers it until you delete it there.',
  /** By what the browser says went wrong. */
  stopped: {
    NotAllowedError: 'No passkey was used: that was stopped, or took too long.',
    InvalidStateError: 'This device has a passkey of yours for docket already.',
    SecurityError: 'This browser does not allow passkeys at this address.',
  } as Partial<Record<string, string>>,
  /** By the code of the server's refusal. */
  refused: {
    unknown_passkey: 'Nobody here has this passkey any more. Sign in another way.',
    passkey_refused: 'That passkey did not fit this address and this try. Try again.',
    passkey_copied:
      'This passkey may have been copied, and was refused. Sign in another way, and remove it under “Sign-in and security”.',
    invalid_attempt: 'That has taken longer than ten minutes, or is over already. Try again.',
    last_way_in: 'This is the only way in that you have. Set a password first.',
  } as Partial<Record<string, string>>,
};

/** The texts. English is the one language so far. */
export const t: typeof en = en;
