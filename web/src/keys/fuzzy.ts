/**
 * Finding by a few letters: how well a text answers to what was typed. Pure.
 */
import { fold } from '../replica/fold';

/** What was typed, made ready: each of its words has to be found, in whatever order. */
export function wordsOf(typed: string): string[] {
  return fold(typed)
    .split(/\s+/)
    .filter((word) => word !== '');
}

/**
 * How well a folded text answers, larger is better; undefined if a word is not in it. A word counts most where the
 * text begins with it, then where a word of the text does, then inside one; last, where only its letters are there
 * in order, and the more the closer they are together. Of equals, the shorter text is better.
 */
export function score(words: readonly string[], text: string): number | undefined {
  let sum = 0;
  for (const word of words) {
    const found = scoreOf(word, text);
    if (found === undefined) return undefined;
    sum += found;
  }
  return sum - Math.min(text.length, 255) / 256;
}

function scoreOf(word: string, text: string): number | undefined {
  if (text.startsWith(word)) return 400;
  let inside = false;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (beginsWord(text, at)) return 300;
    inside = true;
  }
  return inside ? 200 : scattered(word, text);
}

function beginsWord(text: string, at: number): boolean {
  return at === 0 || !/[\p{L}\p{N}]/u.test(text.charAt(at - 1));
}

/** Letters in order, each at the beginning of a word or next to the one before it, but for one in three. */
function scattered(word: string, text: string): number | undefined {
  if (word.length < 2) return undefined;
  let at = -1;
  let gaps = 0;
  for (const letter of word) {
    const next = text.startsWith(letter, at + 1) ? at + 1 : nextBeginning(letter, text, at + 1);
    if (next < 0) return undefined;
    if (next !== at + 1 && !beginsWord(text, next)) gaps++;
    at = next + letter.length - 1;
  }
  return gaps * 3 > word.length ? undefined : 100 - 10 * gaps;
}

/** Where a letter begins a word, or else where it is at all. */
function nextBeginning(letter: string, text: string, from: number): number {
  const first = text.indexOf(letter, from);
  for (let at = first; at >= 0; at = text.indexOf(letter, at + 1)) if (beginsWord(text, at)) return at;
  return first;
}

/** The best answers, best first; of equals, the earlier in the list. */
export function best<T>(typed: string, all: Iterable<T>, textOf: (one: T) => string, most: number): T[] {
  const words = wordsOf(typed);
  const found: { one: T; score: number }[] = [];
  for (const one of all) {
    const points = score(words, textOf(one));
    if (points !== undefined) found.push({ one, score: points });
  }
  return found
    .sort((a, b) => b.score - a.score)
    .slice(0, most)
    .map(({ one }) => one);
}
