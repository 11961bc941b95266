// SPDX-License-Identifier: Apache-2.0
// What a browser is asked about a page in HTML. In light and dark axe finds nothing to object to; at 320, 768 and 1280 px nothing is wider
// than the screen but what scrolls by itself; on paper neither; nothing is asked of any network, no script runs. Of a page that is to be
// looked at thoroughly axe is asked at each of the widths.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const A4 = 794; // CSS px
const widths = [320, 768, 1280];

function findChromium() {
  if (process.env.HOLDFAST_CHROMIUM) return process.env.HOLDFAST_CHROMIUM;
  return process.env.PATH.split(delimiter).map((folder) => join(folder, 'chromium')).find(existsSync);
}

// What reaches beyond the right edge, tables in their own scrolling region aside.
function tooWide() {
  const wide = [...document.querySelectorAll('body *')].filter(
    (e) => e.getBoundingClientRect().right > innerWidth + 0.5 && !e.parentElement.closest('.table'),
  );
  const page = document.documentElement.scrollWidth > innerWidth ? [`page: ${document.documentElement.scrollWidth}`] : [];
  return [...page, ...wide.map((e) => e.outerHTML.slice(0, 120))];
}

async function judge(page, wrong, width) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    for (const { id, help, nodes } of violations)
      wrong.push(`axe, ${colorScheme}, ${width} px: ${id}: ${help}: ${nodes[0].html.slice(0, 160)}`);
  }
}

async function look(context, axe, report, { thorough, misplaced }, shots) {
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
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of shots ? ['light', 'dark'] : []) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${shots}-${width}-${colorScheme}.png`, fullPage: true });
    }
    for (const what of await page.evaluate(tooWide)) wrong.push(`at ${width} px: ${what}`);
    for (const what of misplaced ? await page.evaluate(misplaced) : []) wrong.push(`at ${width} px: ${what}`);
  }
  await page.evaluate(() => document.querySelectorAll('details').forEach((e) => { e.open = true; }));
  await page.evaluate(axe); // this is not held by the page's own policy, which forbids scripts
  for (const width of thorough ? widths : [widths.at(-1)]) {
    await page.setViewportSize({ width, height: 900 });
    await judge(page, wrong, width);
  }
  await page.emulateMedia({ media: 'print' });
  await page.setViewportSize({ width: A4, height: 1123 });
  for (const what of await page.evaluate(tooWide)) wrong.push(`on paper: ${what}`);
  const pdf = await page.pdf({ format: 'A4' });
  if (pdf.subarray(0, 5).toString() !== '%PDF-') wrong.push('cannot be printed');
  await page.close();
  return wrong;
}

// One page after the other, told as TAP. pages: [name, file, { thorough, misplaced, wrong }]: `misplaced` is asked in the page, at each width, for
// what is not where it has to be; `wrong` is what is known of it already; shots: where pictures of them go, or nothing.
export async function tell(modules, pages, shots) {
  const require = createRequire(join(modules, 'x'));
  const { chromium } = require('playwright-core');
  const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
  const browser = await chromium.launch({
    executablePath: findChromium(),
    args: ['--disable-dev-shm-usage', ...(process.getuid() === 0 ? ['--no-sandbox'] : [])],
  });
  const context = await browser.newContext();
  let number = 0;
  let failed = false;
  for (const [name, file, { thorough = false, misplaced, wrong: known = [] } = {}] of pages) {
    const wrong = [...known, ...await look(context, axe, file, { thorough, misplaced }, shots && join(shots, name))];
    failed ||= wrong.length > 0;
    for (const what of wrong) console.log(`# ${what}`);
    console.log(`${wrong.length ? 'not ok' : 'ok'} ${++number} - ${name}`);
  }
  await browser.close();
  return failed ? 1 : 0;
}
