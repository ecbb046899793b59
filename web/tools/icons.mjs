// Draws the PNG icons from the mark in public/icon.svg with Chromium: `npm run icons`. They are kept in git. [Task]: T006
import { readFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';

const folder = new URL('../public/', import.meta.url);
const svg = await readFile(new URL('icon.svg', folder), 'utf8');
const field = /<rect[^>]*fill="(#[0-9a-f]+)"[^>]*\/>/.exec(svg);
const mark = /<path[^>]*\/>/.exec(svg);
if (!field || !mark)
  throw new Error('icon.svg: a rect with the field’s colour and a path with the mark are needed');

/** The mark on a field without corners, for systems that cut a shape of their own: all that matters is inside 80 %. */
const full = draw(
  `<rect width="64" height="64" fill="${field[1]}"/><g transform="translate(6.4 6.4) scale(.8)">${mark[0]}</g>`,
);
/** The mark alone: the system colours it. */
const alone = draw(`<g transform="translate(-16 -16) scale(1.5)">${mark[0]}</g>`);

function draw(content) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">${content}</svg>`;
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const page = await browser.newPage();
for (const [name, source, size] of [
  ['icon-192', svg, 192],
  ['icon-512', svg, 512],
  ['icon-maskable-512', full, 512],
  ['icon-apple-180', full, 180],
  ['badge-96', alone, 96],
]) {
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(
    `<style>body{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${source}`,
  );
  await page.screenshot({ path: new URL(`${name}.png`, folder).pathname, omitBackground: true });
}
await browser.close();
