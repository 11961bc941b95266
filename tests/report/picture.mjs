// SPDX-License-Identifier: Apache-2.0
// picture.mjs HOLDFAST PICTURES MODULES SCRATCH: what only a browser can tell of the picture of attack, defence and harm, as TAP.
//
// PICTURES (tests/report/pictures.c) writes pictures of made-up days into SCRATCH, HOLDFAST that of a day that is replayed by its commands
// (tests/outage/day.py); Chromium opens each (look.mjs), axe at each width. Then what the picture is for: that all of its lanes have
// one axis. MODULES holds axe-core and playwright-core. HOLDFAST_SHOTS names a folder that pictures of them are put into, for people.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tell } from './look.mjs';

const [holdfast, pictures, modules, scratch] = process.argv.slice(2).map((path) => resolve(path));
const made = ['day', 'hour', 'week', 'hostile'];

// At every width all lanes begin and end at the same places, an hour's number stands at its line, no number covers another.
function misplaced() {
  const wrong = [];
  const lanes = [...document.querySelectorAll('.lane-shapes')].map((e) => e.getBoundingClientRect());
  const first = lanes[0];
  if (lanes.some((e) => Math.abs(e.left - first.left) > 0.6 || Math.abs(e.right - first.right) > 0.6)) wrong.push('lanes have no common axis');
  const overlap = (a, b) => a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5;
  for (const what of ['.times span', '.mark:not(.dot)', '.part-of:has(span)']) {
    for (const lane of document.querySelectorAll('.lane')) {
      const boxes = [...lane.querySelectorAll(what)].filter((e) => e.offsetParent).map((e) => e.getBoundingClientRect());
      if (boxes.some((a, i) => boxes.slice(i + 1).some((b) => overlap(a, b)))) wrong.push(`${what}: one covers another`);
    }
  }
  const lines = [...document.querySelectorAll('.lane svg')][0].querySelectorAll('.hour');
  const hours = [...lines].map((e) => e.getBoundingClientRect().left);
  for (const e of document.querySelectorAll('.times span')) {
    const box = e.getBoundingClientRect();
    const at = (box.left + box.right) / 2;
    if (e.offsetParent && !hours.some((hour) => Math.abs(hour - at) < 2)) wrong.push(`no line for ${e.textContent}`);
  }
  return wrong;
}

execFileSync(pictures, [scratch]);
mkdirSync(join(scratch, 'replayed-day'));
execFileSync('python3', ['tests/outage/day.py', holdfast, join(scratch, 'replayed-day'), join(scratch, 'replayed.html')]);
const pages = [...made, 'replayed'].map((name) => [`picture-${name}`, join(scratch, `${name}.html`), { thorough: true, misplaced }]);
console.log(`1..${pages.length}`);
process.exit(await tell(modules, pages, process.env.HOLDFAST_SHOTS));
