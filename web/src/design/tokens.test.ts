/**
 * The colours of the design tokens, light and dark, have the contrast that WCAG 2.2 AA asks for where they are used: 4.5:1
 * for text (1.4.3), 3:1 for what tells a control from its surroundings (1.4.11).
 *
 * [Task]: T006
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const css = readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8');
const colors = new Map(
  [...css.matchAll(/--color-([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g)].map(
    ([, name = '', light = '', dark = '']) => [name, { light, dark }],
  ),
);

/** What lies on what: text on each surface it is written on, edges and icons on each surface they are drawn on. */
const surfaces = ['page', 'surface', 'sunken', 'hover'];
const text: [string, string[]][] = [
  ['ink', [...surfaces, 'accent-wash', 'late-wash']],
  ['soft', surfaces],
  ['accent', [...surfaces, 'accent-wash']],
  ['late', [...surfaces, 'late-wash']],
  ['low', ['page', 'surface', 'hover']],
  ['good', ['page', 'surface', 'hover']],
  ['on-accent', ['accent']],
];
const edges: [string, string[]][] = [
  ['edge', surfaces],
  ['accent', surfaces], // the focus ring
  ['late', surfaces],
  ['low', surfaces],
  ['surface', ['accent']],
];

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** From 1 to 21 (WCAG 2.2, contrast ratio). */
function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

test('black on white has the contrast of 21', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
});

describe.each([
  ['text', 4.5, text],
  ['edges', 3, edges],
] as const)('%s have a contrast of %d:1 or more', (_, least, pairs) => {
  const cases = pairs.flatMap(([above, belows]) => belows.map((below): [string, string] => [above, below]));
  test.each(cases)('%s on %s', (above, below) => {
    for (const scheme of ['light', 'dark'] as const) {
      const [one, other] = [colors.get(above)?.[scheme], colors.get(below)?.[scheme]];
      if (!one || !other) throw new Error(`tokens.css has no ${above} or ${below}`);
      expect(contrast(one, other), scheme).toBeGreaterThanOrEqual(least);
    }
  });
});
