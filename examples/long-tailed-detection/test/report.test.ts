/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import type { Browser, Page } from 'playwright-core';

import type { LossName } from '../src/config.ts';
import { RunDirectory } from '../src/experiment/run-directory.ts';
import { writeMetrics } from '../src/report/metrics.ts';
import { writeReport } from '../src/report/report.ts';
import { summarize } from '../src/report/summary.ts';
import { noBrowser, startBrowser } from './browser.ts';
import { madeUpRun, smallConfig } from './made-up-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'report-'));
const skip = noBrowser();
let browser: Browser | undefined;
let report = '';

async function writeRun(name: string, losses: LossName[], seeds: number[]): Promise<string> {
  const config = smallConfig(losses, seeds);
  const directory = RunDirectory.create(join(folder, name), config);
  const summary = summarize(config, await madeUpRun(config));
  writeMetrics(directory, summary);
  await writeReport(directory, summary);
  return directory.reportFile;
}

before(async () => {
  report = await writeRun('all', ['ce', 'fl', 'efl'], [1, 2]);
  if (!skip) browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

interface View {
  width?: number;
  colorScheme?: 'light' | 'dark';
  media?: 'screen' | 'print';
}

/** The report in a window, and all addresses that it asked for. */
async function open(view: View, file = report): Promise<{ page: Page; requests: string[] }> {
  const { width = 1200, colorScheme = 'light', media = 'screen' } = view;
  const page = await browser!.newPage({ viewport: { width, height: 900 }, colorScheme });
  await page.emulateMedia({ media, colorScheme });
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(pathToFileURL(file).href);
  return { page, requests };
}

/** What reaches beyond the right edge of the window. */
function outside(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('body *')]
      // What is inside a picture is cut off by the picture itself.
      .filter((element) => !element.parentElement?.closest('svg'))
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
      .map((element) => element.outerHTML.slice(0, 120)),
  );
}

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing amiss in ${colorScheme} colours`, { skip }, async () => {
    const { page } = await open({ colorScheme });
    await page.addScriptTag({ path: axeFile });
    const violations = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
      const { violations } = await axe.run(document);
      return violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`);
    });
    assert.deepEqual(violations, []);
    await page.close();
  });
}

test('a window of 400 pixels needs no scrolling to the side', { skip }, async () => {
  const { page } = await open({ width: 400 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 400, `${width} pixels wide`);
  assert.deepEqual(await outside(page), []);
  await page.close();
});

test('on paper nothing is cut off, and paper is white in a dark room too', { skip }, async () => {
  // A4 between margins of 14 mm.
  const { page } = await open({ width: 688, colorScheme: 'dark', media: 'print' });
  assert.deepEqual(await outside(page), []);
  const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(paper, 'rgb(255, 255, 255)');
  await page.close();
});

test('the page asks for nothing but itself', { skip }, async () => {
  const { page, requests } = await open({});
  await page.waitForLoadState('networkidle');
  const others = requests.filter((url) => !url.startsWith('data:'));
  assert.deepEqual(others, [pathToFileURL(report).href]);
  await page.close();
});

test('what a link or a label points to is there, once', () => {
  const html = readFileSync(report, 'utf8');
  const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assert.deepEqual(
    ids.filter((id, i) => ids.indexOf(id) !== i),
    [],
  );
  const labels = [...html.matchAll(/ aria-(?:labelledby|describedby)="([^"]+)"/g)];
  const anchors = [...html.matchAll(/<a href="([^"]+)"/g)].map(([, target]) => target);
  assert.ok(labels.length > 10 && anchors.length > 8);
  for (const [, id] of labels) assert.ok(ids.includes(id), id);
  for (const target of anchors) {
    const exists = target.startsWith('#')
      ? ids.includes(target.slice(1))
      : existsSync(join(dirname(report), target));
    assert.ok(exists, target);
  }
});

test('a run of one loss has a page too, with no word of a gain', async () => {
  const html = readFileSync(await writeRun('single', ['fl'], [1]), 'utf8');
  assert.match(html, /After 6 epochs, Focal Loss has .* on rare/);
  assert.doesNotMatch(html, /minus|The gain/);
});

test('every picture and table that shows average precision says how long was trained', () => {
  const html = readFileSync(report, 'utf8');
  const captions = [...html.matchAll(/<(?:caption|figcaption)>([^<]*)</g)].map(([, text]) => text);
  const precision = captions.filter((text) => /average precision/i.test(text));
  assert.ok(precision.length >= 5);
  for (const caption of precision) assert.match(caption, /epoch/);
});
