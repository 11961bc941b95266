// SPDX-License-Identifier: Apache-2.0
// status.mjs FIXTURE MODULES SCRATCH: what only a browser can tell of the status page, as TAP.
//
// FIXTURE (tests/status/fixture.c) writes the pages of a made-up site into SCRATCH, Chromium opens each of them, in each language (look.mjs).
// MODULES holds axe-core and playwright-core. HOLDFAST_SHOTS names a folder that pictures are put into, for people.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tell } from './look.mjs';

const [fixture, modules, scratch] = process.argv.slice(2).map((path) => resolve(path));
// which page; its files
const sites = [
  ['outage', ['index.html', 'fr/index.html', 'history/index.html', 'fr/history/2026-11.html']],
  ['calm', ['index.html', 'fr/index.html']],
  ['hostile', ['index.html', 'history/2026-11.html']],
  ['empty', ['index.html']],
  ['form', ['index.html', 'fr.html', 'taken.html']], // by which users report
];

const pages = [];
for (const [site, files] of sites) {
  mkdirSync(join(scratch, site));
  execFileSync(fixture, [site, join(scratch, site)]);
  for (const file of files)
    pages.push([`${site}-${file.replaceAll('/', '-').replace('.html', '')}`, join(scratch, site, file), { thorough: (site === 'outage' || site === 'form') && file.endsWith('index.html') }]);
}
console.log(`1..${pages.length}`);
process.exit(await tell(modules, pages, process.env.HOLDFAST_SHOTS));
