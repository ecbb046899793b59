/**
 * Builds the service worker, after the page: into one file of fixed name that knows every other file of the build, so
 * that a change of any of them makes a new worker.
 *
 * [Task]: T052
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vite';

const dist = join(import.meta.dirname, 'dist');
const name = 'sw.js';

function shell(): { version: string; files: Record<string, string> } {
  const files: Record<string, string> = {};
  const names = readdirSync(dist, { recursive: true, encoding: 'utf8' }).sort();
  for (const file of names.filter(
    (f) => /\.(html|js|css|svg|png|webmanifest|woff2)$/.test(f) && f !== name,
  )) {
    const sum = createHash('sha256').update(readFileSync(join(dist, file)));
    files[`/${file.replaceAll('\\', '/')}`] = `sha256-${sum.digest('base64')}`;
  }
  const version = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16);
  return { version, files };
}

export default defineConfig(({ command }) => ({
  define: { SHELL: command === 'build' ? JSON.stringify(shell()) : '{}' },
  build: {
    outDir: 'dist',
    emptyOutDir: false,
    copyPublicDir: false,
    target: 'es2023',
    rolldownOptions: { input: 'src/sw/sw.ts', output: { format: 'iife', entryFileNames: name } },
  },
}));
