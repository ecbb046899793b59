/**
 * Tells that this browser is in another time zone than the account, as it is on a journey: days and times are shown in
 * the account's. One press changes that, another keeps it until the browser is somewhere else again.
 *
 * [Task]: T062
 */
import { useEffect, useSyncExternalStore } from 'react';
import { call } from '../api/client';
import { useNow } from '../app/clock';
import { setUser } from '../app/session';
import { useUser } from '../app/user';
import { Button } from '../design/controls';
import { toast } from '../design/toast';
import { t } from '../text';
import { sameTime } from './zones';

/** Where this browser is now. */
export function zoneHere(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

const storage = (user: string) => `docket.zone-kept.${user}`;

/** The user wants the account's zone to stay what it is while this browser is where it is. */
export function keepZone(user: string): void {
  localStorage.setItem(storage(user), zoneHere());
  subscribers.forEach((tell) => tell());
}

const subscribers = new Set<() => void>();

function subscribe(tell: () => void): () => void {
  subscribers.add(tell);
  addEventListener('storage', tell); // another tab
  return () => {
    subscribers.delete(tell);
    removeEventListener('storage', tell);
  };
}

/** A line below the list, in nobody's way until it is answered. */
export function ZoneNotice() {
  const { id, time_zone: zone } = useUser();
  const kept = useSyncExternalStore(subscribe, () => localStorage.getItem(storage(id)));
  const here = zoneHere();
  const same = sameTime(here, zone, useNow());
  useEffect(() => {
    if (same) localStorage.removeItem(storage(id)); // the next journey is told of anew
  }, [id, same]);
  const told = !same && kept !== here;
  return (
    <div role="status" className="mx-auto w-full max-w-3xl px-4 text-sm md:px-8">
      {told && (
        <p className="flex animate-appear flex-wrap items-center gap-x-2 py-2 text-soft">
          <span>{t.zone.differs(readable(here), readable(zone))}</span>
          <Button kind="offer" className="h-7 px-2" onClick={() => void change(here)}>
            {t.zone.change(readable(here))}
          </Button>
          <Button kind="offer" className="h-7 px-2" onClick={() => keepZone(id)}>
            {t.zone.keep(readable(zone))}
          </Button>
        </p>
      )}
    </div>
  );
}

async function change(time_zone: string): Promise<void> {
  try {
    setUser((await call('patch', '/api/me', { body: { time_zone } })).body);
    toast({ text: t.zone.changed(readable(time_zone)) });
  } catch {
    toast({
      text: t.zone.failed(readable(time_zone)),
      tone: 'late',
      lasts: 0,
      action: { label: t.zone.again, run: () => void change(time_zone) },
    });
  }
}

function readable(zone: string): string {
  return zone.replaceAll('_', ' ');
}
