import { useSyncExternalStore } from 'react';

/** Light, dark, or what the system says. */
export type Theme = 'system' | 'light' | 'dark';

const storage = 'docket.theme';
const subscribers = new Set<() => void>();

function read(): Theme {
  const kept = localStorage.getItem(storage);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

/** Puts the kept theme into effect; called before anything is painted. */
export function applyTheme(): void {
  const theme = read();
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    // What the system's bars around an installed app are painted in; index.html says which is for what.
    meta.dataset.system ??= meta.media;
    meta.media =
      theme === 'system' ? meta.dataset.system : meta.dataset.system.includes(theme) ? '' : 'not all';
  }
}

export function setTheme(theme: Theme): void {
  if (theme === 'system') localStorage.removeItem(storage);
  else localStorage.setItem(storage, theme);
  applyTheme();
  subscribers.forEach((tell) => tell());
}

export function useTheme(): Theme {
  return useSyncExternalStore((tell) => {
    subscribers.add(tell);
    return () => subscribers.delete(tell);
  }, read);
}
