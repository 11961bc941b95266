// SPDX-License-Identifier: Apache-2.0
// report.mjs HOLDFAST SYNTH MODULES SCRATCH: what only a browser can tell of the report in HTML, as TAP.
//
// SYNTH makes up captures, HOLDFAST writes their reports into SCRATCH, Chromium (HOLDFAST_CHROMIUM, default "chromium" in PATH) opens
// each (look.mjs). MODULES holds axe-core and playwright-core. One report is of a recorded incident, with places and claims: axe looks
// at it at each width. With HOLDFAST_PICTURES=FOLDER pictures of all are left there.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
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
// What is said of the incident with places; fictional. Of the last nobody approves.
const claims = [
  ['the minister of Examplia', 'The attack came from Elbonia', 'share(country=BR) >= 0.5'],
  ['a group on a messaging app', 'We did it & you cannot stop us', 'actor = "The Example Group"'],
  ['an engineer', 'It was an amplification attack', 'amplified'],
  ['a newspaper', 'A tenth of it came from Brazil', 'share(country=BR) >= 0.1'],
  ['a rival', `${'Words without end '.repeat(12)}<b>bold</b>`, 'spoofed and count(sources) >= 86400'],
  ['nobody', 'INTERNAL', 'amplified'],
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

// Two databases of countries that differ of every fifth network, one of networks, and what `geo update` notes of them.
function writePlaces(folder) {
  const codes = ['US', 'BR', 'MX', 'ES', 'IT', 'DE', 'IN', 'CN', 'SE', 'UA', 'ZA', 'AU', 'CA', 'FR', 'VN', 'ID'];
  const networks = Array.from({ length: 223 }, (_, i) => i + 1);
  const lines = (value) => networks.map((i) => `${i}.0.0.0,${i}.255.255.255,${value(i)}\n`).join('');
  const about = (name, licence, text) => {
    writeFileSync(join(folder, `${name}.csv`), text);
    return { file: `${name}.csv`, name, licence, version: '2025.6.1', sha256: createHash('sha256').update(text).digest('hex') };
  };
  mkdirSync(folder);
  const databases = [
    about('one-country', 'PDDL-1.0', lines((i) => codes[(i * i) % 16])),
    about('two-country', 'CC0-1.0', lines((i) => (i % 5 ? codes[(i * i) % 16] : 'BR'))),
    about('asn', 'CC-BY-4.0', lines((i) => `${64496 + (i % 16)},"Example Network ${i % 16} of Long Names, Incorporated"`)),
  ];
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ schema: 'holdfast.geo/1', databases }));
}

// An incident as the daemon leaves it, with its stream, and claims that somebody else approves of.
function writeRecorded(name) {
  const state = join(scratch, 'state');
  const at = (file) => join(scratch, file);
  for (const folder of [state, join(state, 'incidents'), join(state, 'streams')]) mkdirSync(folder);
  writePlaces(at('geo'));
  writeFileSync(at('conf.yaml'), `state_dir: ${state}\ngeo: ${at('geo')}\n`);
  execFileSync(synth, ['ntp_reflection', '-o', at('attack.pcap'), '--labels', at('labels')], { stdio: 'ignore' });
  const said = execFileSync(join(dirname(synth), 'live/simulate'), [at('attack.pcap'), at('labels'), '--stream', at('stream')]);
  const { id } = JSON.parse(said).incidents[0];
  renameSync(at('stream'), join(state, 'streams', `${id}.hfs`));
  const analysis = execFileSync(holdfast, ['analyze', '--json', '--geo', at('geo'), join(state, 'streams', `${id}.hfs`)]);
  const began = 1748772030;
  const head = { schema: 'holdfast.incident/1', id, state: 'final', service: null, target: '192.0.2.10/32', vector: 'ntp_reflection',
    began_ns: 0, ended_ns: 0, peak_pps: 6300, peak_bps: 24000000, generation: '0000000000000001' };
  const line = JSON.stringify(head).replace('"began_ns":0,"ended_ns":0', `"began_ns":${began}000000000,"ended_ns":${began + 15}000000000`);
  writeFileSync(join(state, 'incidents', `${id}.json`), `${line.slice(0, -1)},"analysis":\n${analysis}}\n`);
  const run = (who, ...words) => execFileSync(holdfast, [...words, '--config', at('conf.yaml')], {
    stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, SUDO_USER: who } });
  for (const [by, text, predicate] of claims)
    run('ann', 'claim', 'add', id, '--by', by, '--text', text, '--predicate', predicate, '--at', '2025-06-01T17:00:00Z',
      '--url', 'https://example.org/said');
  run('ann', 'claim', 'test', id);
  for (let i = 1; i < claims.length; i++) run('bob', 'claim', 'approve', `c${i}`);
  run('ann', 'report', id, '--include-claims', '--html', at(`${name}.html`));
  return at(`${name}.html`);
}

// What is to be on the page of the incident with places, and what not.
function lacks(report) {
  const page = readFileSync(report, 'utf8');
  const wanted = ['Where devices used in the attack connect from', 'What was claimed', 'Route Views', ...claims.slice(0, 4).map((c) => c[0])];
  const missing = wanted.filter((words) => !page.includes(words)).map((words) => `it does not say: ${words}`);
  return page.includes('INTERNAL') ? [...missing, 'it tells what nobody approved of'] : missing;
}

const pages = reports.map(([name, captures]) => [name, write(name, captures)]);
const recorded = writeRecorded('places');
console.log(`1..${pages.length + 1}`);
process.exit(await tell(modules, [...pages, ['places', recorded, { thorough: true, wrong: lacks(recorded) }]], process.env.HOLDFAST_PICTURES));
