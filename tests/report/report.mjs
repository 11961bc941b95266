// SPDX-License-Identifier: Apache-2.0
// report.mjs HOLDFAST SYNTH MODULES SCRATCH: what only a browser can tell of the report in HTML, as TAP.
//
// SYNTH makes up captures, HOLDFAST writes their reports into SCRATCH, Chromium (HOLDFAST_CHROMIUM, default "chromium" in PATH) opens
// each. In light and dark axe finds nothing to object to; at 320 px nothing is wider than the screen but what scrolls by itself; on
// paper neither; nothing is asked of any network, no script runs. MODULES holds axe-core and playwright-core.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [holdfast, synth, modules, scratch] = process.argv.slice(2).map((path) => resolve(path));
const require = createRequire(join(modules, 'x'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

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
const A4 = 794; // CSS px

function findChromium() {
  if (process.env.HOLDFAST_CHROMIUM) return process.env.HOLDFAST_CHROMIUM;
  return process.env.PATH.split(delimiter).map((folder) => join(folder, 'chromium')).find(existsSync);
}

function write(name, captures) {
  const report = join(scratch, `${name}.html`);
  for (const capture of captures) {
    execFileSync(synth, [...capture.slice(0, -1), '-o', join(scratch, 'made.pcap')], { stdio: 'ignore' });
    renameSync(join(scratch, 'made.pcap'), join(scratch, capture.at(-1)));
  }
  execFileSync(holdfast, ['analyze', ...captures.map((c) => c.at(-1)), '--html', report], { cwd: scratch, stdio: 'ignore' });
  return report;
}

// What reaches beyond the right edge, tables in their own scrolling region aside.
function tooWide() {
  const wide = [...document.querySelectorAll('body *')].filter(
    (e) => e.getBoundingClientRect().right > innerWidth + 0.5 && !e.parentElement.closest('.table'),
  );
  const page = document.documentElement.scrollWidth > innerWidth ? [`page: ${document.documentElement.scrollWidth}`] : [];
  return [...page, ...wide.map((e) => e.outerHTML.slice(0, 120))];
}

async function look(context, report) {
  const wrong = [];
  const page = await context.newPage();
  const own = pathToFileURL(report).href;
  await page.route('**/*', (route) => {
    if (route.request().url() === own) return route.continue();
    wrong.push(`asks for ${route.request().url()}`);
    return route.abort();
  });
  page.on('dialog', (dialog) => {
    wrong.push('runs a script');
    return dialog.dismiss();
  });
  page.on('console', (message) => {
    if (message.type() === 'error') wrong.push(`console: ${message.text()}`);
  });
  await page.goto(own);
  if (await page.evaluate(() => document.scripts.length || document.images.length)) wrong.push('holds a script or an image');
  for (const width of [320, 768, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    for (const what of await page.evaluate(tooWide)) wrong.push(`at ${width} px: ${what}`);
  }
  await page.evaluate(() => document.querySelectorAll('details').forEach((e) => { e.open = true; }));
  await page.evaluate(axe); // this is not held by the page's own policy, which forbids scripts
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    for (const { id, help, nodes } of violations) wrong.push(`axe, ${colorScheme}: ${id}: ${help}: ${nodes[0].html.slice(0, 160)}`);
  }
  await page.emulateMedia({ media: 'print' });
  await page.setViewportSize({ width: A4, height: 1123 });
  for (const what of await page.evaluate(tooWide)) wrong.push(`on paper: ${what}`);
  const pdf = await page.pdf({ format: 'A4' });
  if (pdf.subarray(0, 5).toString() !== '%PDF-') wrong.push('cannot be printed');
  await page.close();
  return wrong;
}

console.log(`1..${reports.length}`);
const browser = await chromium.launch({
  executablePath: findChromium(),
  args: ['--disable-dev-shm-usage', ...(process.getuid() === 0 ? ['--no-sandbox'] : [])],
});
const context = await browser.newContext();
let number = 0;
let failed = false;
for (const [name, captures] of reports) {
  const wrong = await look(context, write(name, captures));
  failed ||= wrong.length > 0;
  for (const what of wrong) console.log(`# ${what}`);
  console.log(`${wrong.length ? 'not ok' : 'ok'} ${++number} - ${name}`);
}
await browser.close();
process.exit(failed ? 1 : 0);
