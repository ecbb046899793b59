/**
 * Upper and lower case being the same: Unicode simple case folding, as package task folds (task/query_fold.go). Pure.
 */

/** Finds a text in others, whatever the case. The `u` flag makes `i` fold as Unicode's CaseFolding.txt says. */
export function finder(needle: string): (text: string) => boolean {
  const pattern = new RegExp(needle.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), 'iu');
  return (text) => pattern.test(text);
}

/** Folds a text: two are the same but for case exactly if they fold to the same. */
export function fold(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text.toLowerCase();
  return Array.from(text, foldCharacter).join('');
}

const folded = new Map<string, string>();

function foldCharacter(c: string): string {
  let to = folded.get(c);
  if (to === undefined) folded.set(c, (to = leastOf(c)));
  return to;
}

/** The smallest of the characters that differ only in case, but a small letter in ASCII. */
function leastOf(c: string): string {
  const kin = kinOf(c);
  const least = kin.reduce((a, b) => (code(b) < code(a) ? b : a), c);
  return least >= 'A' && least <= 'Z' ? least.toLowerCase() : least;
}

/** Characters reachable by changing case, one character each. */
function kinOf(c: string): string[] {
  const kin = [c];
  for (const from of kin) {
    for (const to of [from.toLowerCase(), from.toUpperCase(), ...(farKin.get(from) ?? [])]) {
      if (!kin.includes(to) && Array.from(to).length === 1 && same(c, to)) kin.push(to);
    }
  }
  return kin;
}

function same(a: string, b: string): boolean {
  return a === b || new RegExp(`^[${a}]$`, 'iu').test(b);
}

function code(c: string): number {
  return c.codePointAt(0) ?? 0;
}

/** Those that are smaller than every character that changing case leads to. */
const farKin = new Map<string, string[]>([
  ['\u039c', ['\u00b5']], // capital mu: the micro sign
  ['\u0399', ['\u0345']], // capital iota: the iota below
  ['\u1fd3', ['\u0390']],
  ['\u1fe3', ['\u03b0']],
  ['\ua64a', ['\u1c88']],
  ['\ufb06', ['\ufb05']],
]);
