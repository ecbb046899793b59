// Generates src/api/schema.d.ts from ../api/openapi.json; with --check it fails if the file is stale. [Task]: T061
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const target = new URL('../src/api/schema.d.ts', import.meta.url);
const types = astToString(await openapiTS(new URL('../../api/openapi.json', import.meta.url)));
const fresh = `// Generated from api/openapi.json by \`npm run generate\`.\n\n${types}`;
if (!process.argv.includes('--check')) {
  await writeFile(target, fresh);
} else if ((await readFile(target, 'utf8').catch(() => '')) !== fresh) {
  console.error('src/api/schema.d.ts does not match api/openapi.json: run `npm run generate`');
  process.exitCode = 1;
}
