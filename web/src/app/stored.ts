import { useSyncExternalStore } from 'react';

/** A setting that a browser keeps for whoever uses it: one of these words, or none where it is as usual. */
export function stored<const Word extends string>(key: string, ...words: Word[]) {
  const subscribers = new Set<() => void>();
  const subscribe = (tell: () => void) => {
    subscribers.add(tell);
    return () => subscribers.delete(tell);
  };
  const get = () => words.find((word) => word === localStorage.getItem(key));
  return {
    get,
    set: (word: Word | undefined): void => {
      if (word) localStorage.setItem(key, word);
      else localStorage.removeItem(key);
      subscribers.forEach((tell) => tell());
    },
    /** What it is now, for a component, which is drawn anew when it is set. */
    useWord: () => useSyncExternalStore(subscribe, get),
  };
}
