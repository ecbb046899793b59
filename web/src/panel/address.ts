import { navigate, usePlace } from '../app/router';

/** The task that the address opens: `?task=<id>`. */
export function useOpenTask(): string | undefined {
  return usePlace().query.get('task') ?? undefined;
}

/** The address of where the user is, with a task open beside it, or none. */
export function addressWith(task: string | undefined): string {
  const query = new URLSearchParams(location.search);
  if (task) query.set('task', task);
  else query.delete('task');
  return query.size > 0 ? `${location.pathname}?${query.toString()}` : location.pathname;
}

/**
 * Opens a task beside the list. Going from one open task to the next leaves no step in the browser's history: one
 * step back closes the panel, however many were looked at.
 */
export function openTask(id: string): void {
  const open = new URLSearchParams(location.search).has('task');
  navigate(addressWith(id), open);
}

/** Opens a task, or, if it is open already, takes the focus to its panel. */
export function openOrEnter(id: string): void {
  if (new URLSearchParams(location.search).get('task') === id)
    document.querySelector<HTMLElement>('#panel button')?.focus();
  else openTask(id);
}

export function closeTask(): void {
  navigate(addressWith(undefined));
}
