// Prints what the first page loads, compressed, and fails above the limits. [Task]: T006
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const limits = { js: 150, css: 20 }; // KB of 1,000 bytes
const dist = new URL('../dist/', import.meta.url);
const page = await readFile(new URL('index.html', dist), 'utf8');
const sizes = { js: 0, css: 0 };
for (const [, name, kind] of page.matchAll(/(?:src|href)="\/([^"]+\.(js|css))"/g)) {
  sizes[kind] += gzipSync(await readFile(new URL(name, dist))).length;
}
for (const [kind, limit] of Object.entries(limits)) {
  const size = sizes[kind] / 1000;
  console.log(`first route, ${kind}: ${size.toFixed(1)} KB gzip (limit ${limit})`);
  if (size === 0 || size > limit) process.exitCode = 1;
}
