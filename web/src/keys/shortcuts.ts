/**
 * The table of all shortcuts: help and palette are made from it, and `useActions` gives each what it does.
 *
 * A press is written in lower case: `j`, `shift+arrowdown`, `mod+k` (Ctrl, on a Mac Command); two in a row with a
 * space between them: `g t`. Signs stand for themselves, with whatever keys a keyboard makes them.
 */
export interface Shortcut {
  id: string;
  scope: 'anywhere' | 'go' | 'list' | 'selection';
  /** Any of these. */
  keys: readonly string[];
  /** Works while something is typed, too. */
  typing?: true;
}

export const shortcuts = [
  { id: 'add', scope: 'anywhere', keys: ['q'] },
  { id: 'search', scope: 'anywhere', keys: ['/'] },
  { id: 'palette', scope: 'anywhere', keys: ['mod+k'], typing: true },
  { id: 'undo', scope: 'anywhere', keys: ['u'] },
  { id: 'help', scope: 'anywhere', keys: ['?'] },
  { id: 'back', scope: 'anywhere', keys: ['escape'] },
  { id: 'goToday', scope: 'go', keys: ['g t'] },
  { id: 'goUpcoming', scope: 'go', keys: ['g u'] },
  { id: 'goAll', scope: 'go', keys: ['g a'] },
  { id: 'goDone', scope: 'go', keys: ['g d'] },
  { id: 'goInbox', scope: 'go', keys: ['g i'] },
  { id: 'next', scope: 'list', keys: ['j', 'arrowdown'] },
  { id: 'previous', scope: 'list', keys: ['k', 'arrowup'] },
  { id: 'first', scope: 'list', keys: ['home'] },
  { id: 'last', scope: 'list', keys: ['end'] },
  { id: 'open', scope: 'list', keys: ['enter'] },
  { id: 'edit', scope: 'list', keys: ['e'] },
  { id: 'complete', scope: 'list', keys: ['space'] },
  { id: 'date', scope: 'list', keys: ['d'] },
  { id: 'tag', scope: 'list', keys: ['t'] },
  { id: 'high', scope: 'list', keys: ['1'] },
  { id: 'medium', scope: 'list', keys: ['2'] },
  { id: 'low', scope: 'list', keys: ['3'] },
  { id: 'delete', scope: 'list', keys: ['delete', 'backspace'] },
  { id: 'select', scope: 'selection', keys: ['x'] },
  { id: 'selectDown', scope: 'selection', keys: ['shift+arrowdown', 'shift+j'] },
  { id: 'selectUp', scope: 'selection', keys: ['shift+arrowup', 'shift+k'] },
  { id: 'selectGroup', scope: 'selection', keys: ['shift+x'] },
] as const satisfies readonly Shortcut[];

export type ShortcutId = (typeof shortcuts)[number]['id'];
export type Scope = Shortcut['scope'];

/** The scopes in the order in which help shows them. */
export const scopes: readonly Scope[] = ['anywhere', 'go', 'list', 'selection'];
