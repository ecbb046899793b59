/** Every English text of the client, by the view it is in. Another language is another file of this shape. */
export const en = {
  app: 'docket',
  close: 'Close',
  skip: 'Skip to the tasks',
  views: { today: 'Today', upcoming: 'Upcoming', all: 'All', done: 'Done' },
  nav: { main: 'Views', tags: 'Tags', noTags: 'Tags appear here once a task has one.', account: 'Account' },
  theme: { system: 'Like the system', light: 'Light', dark: 'Dark' },
  signOut: 'Sign out',
  quickAdd: {
    label: 'Add a task',
    hint: 'Add a task: “Pay rent every month on the 1st at 9am #home !high”',
    failed:
      'This browser cannot store the task, so it was not added. Free some disk space and press Enter again.',
  },
  task: {
    complete: (title: string) => `Complete “${title}”`,
    reopen: (title: string) => `Reopen “${title}”`,
    edit: (title: string) => `Edit the title “${title}”`,
    title: 'Title',
    high: 'High priority',
    low: 'Low priority',
    repeats: 'Repeats',
    hasReminders: (n: number) => (n === 1 ? '1 reminder' : `${n} reminders`),
    hasDescription: 'Has a description',
    due: (when: string) => `Due ${when}`,
  },
  list: {
    overdue: 'Overdue',
    today: 'Today',
    tomorrow: 'Tomorrow',
    yesterday: 'Yesterday',
    noDate: 'No date',
    loading: 'Loading your tasks…',
    count: (n: string, one: boolean) => (one ? '1 task' : `${n} tasks`),
    empty: {
      today: [
        'A clear day.',
        'Nothing is due today. What you add with a date appears here when its day comes.',
      ],
      upcoming: ['Nothing ahead.', 'Tasks with a date after today appear here.'],
      all: ['No tasks yet.', 'Write the first one above, and press Enter.'],
      done: ['Nothing done yet.', 'What you complete is kept here.'],
      filtered: ['Nothing matches.', 'Try fewer conditions.'],
    },
  },
  status: {
    offline: 'Not connected: changes are kept here and sent later.',
    waiting: (n: number) => (n === 1 ? '1 change waits to be sent' : `${n} changes wait to be sent`),
  },
  inbox: {
    title: 'Inbox',
    unread: (n: string) => `Inbox, ${n} unread`,
    readAll: 'Mark all as read',
    empty: ['No reminders yet.', 'When the moment of a reminder comes, it is kept here.'],
    loading: 'Loading your reminders…',
    failed: 'The reminders could not be loaded.',
    again: 'Try again',
    more: 'Show older ones',
    new: 'New',
    markRead: 'Mark as read',
    delivery: 'Delivery',
    channels: { in_app: 'Inbox', push: 'Push', email: 'E-mail', webhook: 'Webhook' } as Record<
      string,
      string
    >,
    outcomes: { pending: 'under way', delivered: 'delivered', failed: 'failed' },
  },
  reminder: {
    done: 'Done',
    snooze: 'Snooze',
    open: 'Open',
    snoozeShort: 'Snooze 10 min',
    choices: { tenMinutes: '10 min', hour: '1 hour', tomorrow: (time: string) => `Tomorrow, ${time}` },
    snoozedUntil: (when: string) => `You are reminded again: ${when}.`,
    snoozeFailed: (why: string) => `Not snoozed: ${why}`,
    someTask: 'A task is due',
    signedOut: 'Sign in to docket: what you chose on a notification is sent then.',
  },
  push: {
    label: 'Notifications on this device',
    detail: 'Reminders reach you when docket is closed, too.',
    unsupported:
      'This browser has no push notifications. On an iPhone or iPad, add docket to the home screen first.',
    insecure: 'Push notifications need HTTPS (or localhost).',
    denied: 'This browser blocks notifications from docket: allow them in its settings for this site.',
    failed: (why: string) => `Not changed: ${why}`,
    noService: 'the browser’s push service did not answer.',
  },
  update: { ready: 'A new version of docket is ready.', reload: 'Reload' },
  refused: (what: string) => `The server refused a change: ${what}`,
  signIn: {
    title: 'Sign in',
    working: 'Signing you in…',
    how: 'Open the sign-in link that docket printed when it first started. For a new link, run this where docket runs:',
    command: 'docket link',
    used: 'This link was used before, or is older than an hour.',
    unreachable: 'The server cannot be reached. Is docket running?',
    again: 'Try again',
  },
  broken: {
    title: 'Something went wrong here.',
    detail: 'Nothing is lost: reload the page to go on.',
    reload: 'Reload',
  },
};

/** The shape of the texts in every language. */
export type Text = typeof en;
