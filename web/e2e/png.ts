import { deflateSync, crc32, inflateSync } from 'node:zlib';

/**
 * Pictures with 256 colours at most: a quarter of the size, with no difference to see in what a user interface shows. Reads
 * what Chromium writes: 8 bits, RGB or RGBA, not interlaced (PNG, third edition).
 */
export function quantised(png: Buffer): Buffer {
  const { width, height, pixels } = decode(png);
  const { palette, indexOf } = paletteOf(pixels);
  const rows = Buffer.alloc((width + 1) * height); // each row begins with its filter: none
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3)
      rows[y * (width + 1) + x + 1] = indexOf(pixels[at] ?? 0, pixels[at + 1] ?? 0, pixels[at + 2] ?? 0);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  return Buffer.concat([
    png.subarray(0, 8),
    chunk('IHDR', header),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** The pixels as RGB, row by row. */
export function decode(png: Buffer): { width: number; height: number; pixels: Buffer } {
  const data: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at))
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const size = png[25] === 6 ? 4 : 3;
  const raw = unfilter(inflateSync(Buffer.concat(data)), width * size, height, size);
  if (size === 3) return { width, height, pixels: raw };
  const pixels = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i++) raw.copy(pixels, i * 3, i * 4, i * 4 + 3);
  return { width, height, pixels };
}

function unfilter(raw: Buffer, stride: number, height: number, size: number): Buffer {
  const out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)] ?? 0;
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x;
      const left = x >= size ? (out[at - size] ?? 0) : 0;
      const up = y > 0 ? (out[at - stride] ?? 0) : 0;
      const corner = x >= size && y > 0 ? (out[at - stride - size] ?? 0) : 0;
      const add = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0;
      out[at] = ((raw[y * (stride + 1) + 1 + x] ?? 0) + add) & 255;
    }
  }
  return out;
}

function paeth(left: number, up: number, corner: number): number {
  const [dl, du, dc] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return dl <= du && dl <= dc ? left : du <= dc ? up : corner;
}

/**
 * At most 256 colours: of each of the most frequent groups of like ones the most frequent, so that the many shades of grey
 * at the edges of letters leave room for a rare colour. Every other is drawn in the nearest of them.
 */
function paletteOf(pixels: Buffer): {
  palette: Buffer;
  indexOf: (r: number, g: number, b: number) => number;
} {
  const counts = new Map<number, number>();
  const keyOf = (r: number, g: number, b: number) => (r << 16) | (g << 8) | b;
  for (let i = 0; i < pixels.length; i += 3) {
    const key = keyOf(pixels[i] ?? 0, pixels[i + 1] ?? 0, pixels[i + 2] ?? 0);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const groups = new Map<number, { key: number; count: number }>();
  for (const [key, count] of [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])) {
    const group = groups.get(key & 0xf8f8f8);
    if (group) group.count += count;
    else groups.set(key & 0xf8f8f8, { key, count });
  }
  const chosen = [...groups.values()].sort((a, b) => b.count - a.count || a.key - b.key).slice(0, 256);
  const colors = chosen.map(({ key }) => [key >> 16, (key >> 8) & 255, key & 255] as const);
  const known = new Map(chosen.map(({ key }, i) => [key, i]));
  const nearest = (r: number, g: number, b: number) => {
    const distances = colors.map(([cr, cg, cb]) => (cr - r) ** 2 + (cg - g) ** 2 + (cb - b) ** 2);
    return distances.indexOf(Math.min(...distances));
  };
  return {
    palette: Buffer.from(colors.flat()),
    indexOf: (r, g, b) => {
      const key = keyOf(r, g, b);
      const index = known.get(key) ?? nearest(r, g, b);
      known.set(key, index);
      return index;
    },
  };
}
