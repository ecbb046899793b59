/**
 * The id of a task made with an Idempotency-Key (event/ids.go): UUIDv5 (RFC 9562 §5.5) of user and key. The client
 * knows it before the server does, so a task keeps its id from the first moment on, also through a day offline.
 */
export function keyedTaskId(user: string, key: string): string {
  const name = new TextEncoder().encode(`idempotency-key\0${user}\0${key}`);
  const input = new Uint8Array(namespace.length + name.length);
  input.set(namespace);
  input.set(name, namespace.length);
  const hash = sha1(input).subarray(0, 16);
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(hash, (b) => b.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** A fresh key: 128 random bits. Not crypto.randomUUID, which plain HTTP on a local network does not have. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join(
    '',
  );
}

const namespace = Uint8Array.from('b6ee4b1c7a074f6e8f2d5b1c6d0f7f2e'.match(/../g) ?? [], (byte) =>
  parseInt(byte, 16),
);

/** SHA-1 (FIPS 180-4 §6.1). crypto.subtle has it, but answers later, and only on secure pages. */
function sha1(message: Uint8Array): Uint8Array {
  const blocks = ((message.length + 8) >> 6) + 1;
  const padded = new Uint8Array(blocks * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  const words = new DataView(padded.buffer);
  words.setUint32(padded.length - 4, message.length * 8);
  const h = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  for (let block = 0; block < padded.length; block += 64) mix(h, words, block);
  const out = new DataView(new ArrayBuffer(20));
  h.forEach((word, i) => out.setUint32(i * 4, word));
  return new Uint8Array(out.buffer);
}

/** Works one block of 64 bytes into the state h. */
function mix(h: number[], words: DataView, block: number): void {
  const w: number[] = [];
  let [a = 0, b = 0, c = 0, d = 0, e = 0] = h;
  for (let t = 0; t < 80; t++) {
    const word =
      t < 16
        ? words.getUint32(block + t * 4)
        : rotate((w[t - 3] ?? 0) ^ (w[t - 8] ?? 0) ^ (w[t - 14] ?? 0) ^ (w[t - 16] ?? 0), 1);
    w.push(word);
    const [f, k] = rounds(t, b, c, d);
    const next = (rotate(a, 5) + f + e + k + word) | 0;
    [a, b, c, d, e] = [next, a, rotate(b, 30), c, d];
  }
  [a, b, c, d, e].forEach((word, i) => (h[i] = ((h[i] ?? 0) + word) | 0));
}

function rounds(t: number, b: number, c: number, d: number): [f: number, k: number] {
  if (t < 20) return [(b & c) | (~b & d), 0x5a827999];
  if (t < 40) return [b ^ c ^ d, 0x6ed9eba1];
  if (t < 60) return [(b & c) | (b & d) | (c & d), 0x8f1bbcdc];
  return [b ^ c ^ d, 0xca62c1d6];
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
