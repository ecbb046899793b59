import { useSyncExternalStore, type MouseEvent } from 'react';

/**
 * Where the user is, in the address: `/today?tag=home&task=<id>`. A router of our own on the History API: there are
 * four views and a query, and the smallest library is larger than this file.
 */
export interface Place {
  path: string;
  query: URLSearchParams;
}

const moved = 'docket:moved';
let place = here();

function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

function subscribe(tell: () => void): () => void {
  const read = () => {
    place = here();
    tell();
  };
  addEventListener('popstate', read);
  addEventListener(moved, read);
  return () => {
    removeEventListener('popstate', read);
    removeEventListener(moved, read);
  };
}

export function usePlace(): Place {
  return useSyncExternalStore(subscribe, () => place);
}

/** Goes to an address within the app; `replace` leaves no step to come back to. */
export function navigate(to: string, replace = false): void {
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  dispatchEvent(new Event(moved));
}

/** For a link within the app: follows it without loading the page, unless a new tab is wanted. */
export function follow(event: MouseEvent<HTMLAnchorElement>): void {
  if (
    event.defaultPrevented ||
    event.button !== 0 ||
    event.metaKey ||
    event.ctrlKey ||
    event.shiftKey ||
    event.altKey
  )
    return;
  event.preventDefault();
  navigate(event.currentTarget.href);
}
