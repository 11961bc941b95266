// SPDX-License-Identifier: Apache-2.0
// report.mjs HOLDFAST SYNTH MODULES SCRATCH: what only a browser can tell of the report in HTML, as TAP.
//
// SYNTH makes up captures, HOLDFAST writes their reports into SCRATCH, Chromium (HOLDFAST_CHROMIUM, default "chromium" in PATH) opens
// each (look.mjs). MODULES holds axe-core and playwright-core.
import { execFileSync } from 'node:child_process';
import { renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tell } from './look.mjs';

const [holdfast, synth, modules, scratch] = process.argv.slice(2).map((path) => resolve(path));

const hostile = '"><img src=x onerror=alert(1)><b>&amp;.pcap';
// name of the report; captures: what synth is told, and what the capture is called
const reports = [
  ['syn_flood', [['syn_flood_spoofed', '--scale', '20', hostile]]],
  ['carpet', [['carpet_udp', '--one-way', '--scale', '20', 'carpet.pcap']]],
  ['pulse', [['pulse', '--scale', '20', 'pulse.pcap']]],
  ['several', [['multi_vector', '--ipv6', '--scale', '50', '1.pcap'], ['pulse', '--scale', '20', '2.pcap'], ['port_scan', '--scale', '50', '3.pcap']]],
  ['no_rule', [['http_flood_random', '--scale', '50', 'http.pcap']]],
  ['none', [['flash_crowd', '--scale', '50', 'flash_crowd.pcap']]],
];
function write(name, captures) {
  const report = join(scratch, `${name}.html`);
  for (const capture of captures) {
    execFileSync(synth, [...capture.slice(0, -1), '-o', join(scratch, 'made.pcap')], { stdio: 'ignore' });
    renameSync(join(scratch, 'made.pcap'), join(scratch, capture.at(-1)));
  }
  execFileSync(holdfast, ['analyze', ...captures.map((c) => c.at(-1)), '--html', report], { cwd: scratch, stdio: 'ignore' });
  return report;
}

console.log(`1..${reports.length}`);
process.exit(await tell(modules, reports.map(([name, captures]) => [name, write(name, captures)])));
