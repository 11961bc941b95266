// SPDX-License-Identifier: Apache-2.0
// console.mjs HOLDFAST MODULES SCRATCH: what only a browser can tell of the console's pages, as TAP.
//
// The pages are those of a console that runs (tests/cli/console.py), put into SCRATCH; Chromium opens each of them (look.mjs). Wants root.
// MODULES holds axe-core and playwright-core. HOLDFAST_SHOTS names a folder that pictures are put into, for people.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tell } from './look.mjs';

const [holdfast, modules, scratch] = process.argv.slice(2).map((path) => resolve(path));
const script = resolve(import.meta.dirname, '../cli/console.py');

execFileSync('python3', [script, holdfast], { env: { ...process.env, HOLDFAST_PAGES: scratch } });
const pages = readdirSync(scratch)
  .filter((file) => file.endsWith('.html'))
  .sort()
  .map((file) => [file.replace('.html', ''), join(scratch, file), { thorough: true }]);
console.log(`1..${pages.length}`);
process.exit(pages.length ? await tell(modules, pages, process.env.HOLDFAST_SHOTS) : 1);
