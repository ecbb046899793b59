/**
 * What the QR code says is what was put in, read by another library from its outline.
 *
 * [Task]: T006
 */
import { render, screen } from '@testing-library/react';
import jsQR from 'jsqr';
import { expect, test } from 'vitest';
import { QrCode } from './QrCode';

/** Draws the path at `scale` pixels a module, as RGBA. */
function drawn(svg: SVGSVGElement, scale: number): { pixels: Uint8ClampedArray; width: number } {
  const width = Number(svg.getAttribute('viewBox')?.split(' ')[2]) * scale;
  const pixels = new Uint8ClampedArray(width * width * 4).fill(255);
  const dark = svg.querySelectorAll('path')[1]?.getAttribute('d') ?? '';
  for (const [, x, y, n] of dark.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let row = Number(y) * scale; row < (Number(y) + 1) * scale; row++) {
      const from = row * width + Number(x) * scale;
      for (let at = from; at < from + Number(n) * scale; at++) pixels.fill(0, at * 4, at * 4 + 3);
    }
  }
  return { pixels, width };
}

test.each([
  ['short', 'Ada'],
  ['as long as can be', '😀'.repeat(100)],
])('of a name that is %s', (_, name) => {
  const uri = `otpauth://totp/docket:${encodeURIComponent(name)}?issuer=docket&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP`;
  render(<QrCode text={uri} label="code" />);
  const { pixels, width } = drawn(screen.getByRole('img', { name: 'code' }) as unknown as SVGSVGElement, 4);
  expect(jsQR(pixels, width, width)?.data).toBe(uri);
});
