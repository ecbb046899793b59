import { useSyncExternalStore } from 'react';

const minute = 60_000;
const startOfMinute = (): number => Math.floor(Date.now() / minute) * minute;

function subscribe(tell: () => void): () => void {
  const timer = setInterval(tell, 10_000);
  document.addEventListener('visibilitychange', tell); // timers sleep with the machine
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', tell);
  };
}

/** The present minute, in milliseconds since 1970: what is shown by it changes by itself, at midnight too. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, startOfMinute);
}
