/**
 * What was typed and not entered yet. A draft lives in its tab (sessionStorage), so a reload or an expired session does
 * not lose it; a tab that is closed leaves its drafts to the next one that opens (localStorage). Where the browser
 * stores nothing, a draft lives as long as the page.
 *
 * [Task]: T061
 */
import { useCallback, useSyncExternalStore } from 'react';
import { useUser } from './user';

const prefix = 'docket.draft.';
const drafts = new Map<string, unknown>();
const subscribers = new Set<() => void>();

take();
addEventListener('pagehide', leave);
addEventListener('pageshow', take); // back from the browser's cache of pages: the tab was not closed after all

/** A draft that edits a text of a task, and what the text was when the typing began or was saved last. */
export interface TextDraft {
  text: string;
  from: string;
}

/**
 * A draft of the signed-in user, undefined where nothing is typed: `quickadd`, `title:<task id>`, `description:<task
 * id>`. Give it up, by setting undefined, only when the browser has kept what became of it (`replica.change` has
 * answered). A draft that edits a text is a {@link TextDraft}.
 */
export function useDraft<T>(name: string): [draft: T | undefined, setDraft: (draft: T | undefined) => void] {
  const key = `${prefix}${useUser().id}.${name}`;
  const draft = useSyncExternalStore(subscribe, () => drafts.get(key)) as T | undefined;
  return [draft, useCallback((next) => set(key, next), [key])];
}

/** Sets a draft from outside its editor, which shows it. */
export function setDraft(user: string, name: string, draft: unknown): void {
  set(`${prefix}${user}.${name}`, draft);
}

/** Forgets a user's drafts: they have signed out. */
export function forgetDrafts(user: string): void {
  for (const key of [...drafts.keys()]) if (key.startsWith(`${prefix}${user}.`)) set(key, undefined);
}

function set(key: string, draft: unknown): void {
  if (draft === undefined) drafts.delete(key);
  else drafts.set(key, draft);
  stored(sessionStorage, key, draft);
  subscribers.forEach((tell) => tell());
}

function subscribe(tell: () => void): () => void {
  subscribers.add(tell);
  return () => subscribers.delete(tell);
}

/** Takes over what this tab had before a reload, and what closed tabs have left. */
function take(): void {
  for (const storage of [sessionStorage, localStorage]) {
    for (const key of Object.keys(storage).filter((k) => k.startsWith(prefix))) {
      const draft = parsed(storage.getItem(key));
      if (storage === localStorage) stored(localStorage, key, undefined);
      if (!drafts.has(key)) set(key, draft);
    }
  }
}

function leave(): void {
  for (const [key, draft] of drafts) stored(localStorage, key, draft);
}

function stored(storage: Storage, key: string, draft: unknown): void {
  try {
    if (draft === undefined) storage.removeItem(key);
    else storage.setItem(key, JSON.stringify(draft));
  } catch {
    // Full or forbidden: the draft stays in the page.
  }
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}
