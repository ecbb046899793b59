/**
 * Markdown (CommonMark and GitHub's task lists) as tokens, the addresses that may be links, and the boxes in it. Raw
 * HTML is never HTML here: Markdown.tsx makes elements of the tokens, and text of the rest. Pure.
 */
import { Lexer, type Token, type Tokens } from 'marked';

export type { Token, Tokens };

export function tokensOf(text: string): Token[] {
  return new Lexer({ gfm: true, breaks: true }).lex(text);
}

const schemes = new Set(['http:', 'https:', 'mailto:', 'tel:']);

/** The address of a link, if it is one that cannot run anything: absolute, of a known scheme. */
export function safeHref(href: string): string | undefined {
  try {
    return schemes.has(new URL(href).protocol) ? href : undefined;
  } catch {
    return undefined;
  }
}

/** The items with a box, in the order in which they stand. */
export function boxesOf(tokens: readonly Token[]): Tokens.ListItem[] {
  const boxes: Tokens.ListItem[] = [];
  const walk = (token: Token): void => {
    if (token.type === 'list') (token as Tokens.List).items.forEach(walk);
    if (token.type === 'list_item' && (token as Tokens.ListItem).task) boxes.push(token as Tokens.ListItem);
    if ('tokens' in token) (token.tokens as Token[] | undefined)?.forEach(walk);
  };
  tokens.forEach(walk);
  return boxes;
}

function ticksOf(text: string): boolean[] {
  return boxesOf(tokensOf(text)).map((item) => item.checked === true);
}

const box = /^([ \t>]*(?:[-*+]|\d+[.)])[ \t]+(?:(?:[-*+]|\d+[.)])[ \t]+)*\[)([ xX])(?=\])/gm;

/**
 * The text with its nth box ticked or cleared; the same text if there is none. What looks like a box may be code, so
 * each candidate is tried: the right one changes that box and no other.
 */
export function toggleBox(text: string, n: number): string {
  const wanted = ticksOf(text).map((ticked, i) => (i === n ? !ticked : ticked));
  if (n >= wanted.length) return text;
  for (const match of text.matchAll(box)) {
    const at = match.index + (match[1] ?? '').length;
    const tried = text.slice(0, at) + (match[2] === ' ' ? 'x' : ' ') + text.slice(at + 1);
    const ticks = ticksOf(tried);
    if (ticks.length === wanted.length && ticks.every((ticked, i) => ticked === wanted[i])) return tried;
  }
  return text;
}
