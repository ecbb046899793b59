import { stored } from './stored';

/** Light, dark, or what the system says. */
export type Theme = 'system' | 'light' | 'dark';

const chosen = stored('docket.theme', 'light', 'dark');

/** Puts the kept theme into effect; called before anything is painted. */
export function applyTheme(): void {
  const theme = chosen.get();
  if (!theme) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    // What the system's bars around an installed app are painted in; index.html says which is for what.
    meta.dataset.system ??= meta.media;
    meta.media = !theme ? meta.dataset.system : meta.dataset.system.includes(theme) ? '' : 'not all';
  }
}

export function setTheme(theme: Theme): void {
  chosen.set(theme === 'system' ? undefined : theme);
  applyTheme();
}

export function useTheme(): Theme {
  return chosen.useWord() ?? 'system';
}
