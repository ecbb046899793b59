import { offsetAt } from '../replica/due';

const month = 30 * 86_400;

/** Whether clocks in two zones show the same, from a moment (milliseconds since 1970) on through a year. */
export function sameTime(one: string, other: string, now: number): boolean {
  const months = Array.from({ length: 13 }, (_, i) => Math.floor(now / 1000) + i * month);
  return months.every((at) => offsetAt(at, one) === offsetAt(at, other));
}

/** Every time zone that the browser knows, and one that only the server does. */
export function zonesWith(zone: string): string[] {
  const known = Intl.supportedValuesOf('timeZone');
  return known.includes(zone) ? known : [zone, ...known].sort();
}

/** The zones that a text finds: in any part of the name, words in any order, `new york` too. Pure. */
export function findZones(zones: readonly string[], text: string): string[] {
  const words = text
    .toLowerCase()
    .split(/[\s_/]+/)
    .filter(Boolean);
  return zones.filter((zone) => {
    const name = zone.toLowerCase().replaceAll('_', ' ');
    return words.every((word) => name.includes(word));
  });
}

/** `Europe/Berlin` as it is read: `Europe/Berlin (GMT+2)`. */
export function zoneLabel(zone: string, now: number, locale: string): string {
  const parts = new Intl.DateTimeFormat(locale, {
    timeZone: zone,
    timeZoneName: 'shortOffset',
  }).formatToParts(now);
  const offset = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  return `${zone.replaceAll('_', ' ')} (${offset})`;
}
