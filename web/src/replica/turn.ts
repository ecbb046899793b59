import type { Store } from './db';

/** How long a lease holds without being renewed, in milliseconds, and how often others look whether it is free. */
const holds = 6_000;
const looks = 1_500;

/** Tells whether it is still this tab's turn; asked before each step that another tab must not make meanwhile. */
export type Still = () => Promise<boolean>;

/**
 * Does work while no other tab of the user does the same. Browsers have Web Locks for that, but not on plain HTTP in a
 * local network; there it is a lease in the store, which a tab that was closed or put to sleep loses by itself.
 */
export async function inTurn(
  store: Store,
  name: string,
  signal: AbortSignal,
  work: (still: Still) => Promise<void>,
): Promise<void> {
  const locks = (navigator as { locks?: LockManager }).locks;
  if (locks) await locks.request(name, { signal }, () => work(() => Promise.resolve(!signal.aborted)));
  else await leased(store, name, signal, work);
}

async function leased(
  store: Store,
  name: string,
  signal: AbortSignal,
  work: (still: Still) => Promise<void>,
): Promise<void> {
  const renew: Still = async () => !signal.aborted && (await store.lease(name, Date.now(), holds));
  while (!(await renew())) {
    signal.throwIfAborted();
    await pause(looks, signal);
  }
  const beat = setInterval(() => void renew().catch(() => undefined), holds / 3);
  try {
    await work(renew);
  } finally {
    clearInterval(beat);
    await store.release(name).catch(() => undefined); // closed: it runs out
  }
}

/** Waits, or until the signal says that waiting is over. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });
}
