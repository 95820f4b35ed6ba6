// Puts a report of the benchmark into README.md (a short table) and docs/performance.md (all tables),
// with pictures in docs/images. The report itself is kept as docs/performance.json, from which all can be made again.
//
//   npm run bench -- --study --out runs/performance
//   node scripts/update-performance.mjs runs/performance/report.json [folder with README.md]
//
// With --beside it does not take the place of docs/performance.json: it is kept in docs/performance,
// one file for each processor, and its tables stand beside those of the first.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { root } from './platform.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { beside: { type: 'boolean', default: false } },
});
const [file, target = root] = positionals;
if (!file) {
  console.error('Which report? node scripts/update-performance.mjs [--beside] REPORT.json');
  process.exit(2);
}

const require = createRequire(import.meta.url);
require('ts-node').register({ project: path.join(root, 'bench', 'tsconfig.json') });
const ofReport = (name) => require(path.join(root, 'bench', 'report', `${name}.ts`));
const { picturesOf } = ofReport('pictures');
const { markdownTable } = ofReport('markdown-table');
const { parseReport } = ofReport('schema');
const { shortSummaryTable, summaryTable } = ofReport('summary');
const { processor, taken } = ofReport('format');
const { distributionTable, figureTable, machineTable, resultTable, skippedTable, workloadTitle } =
  ofReport('tables');

/** What stands between <!-- performance:NAME:begin --> and <!-- performance:NAME:end -->. */
function fill(document, blocks) {
  const documentFile = path.join(target, document);
  const text = readFileSync(documentFile, 'utf8');
  const filled = new Set();
  const pattern = /(<!-- (performance[\w:-]*):begin -->)[^]*?(<!-- \2:end -->)/g;
  const updated = text.replace(pattern, (whole, begin, name, end) => {
    const content = blocks.get(name);
    if (content === undefined) {
      console.error(`${document}: ${name} stays as it is, the report has nothing for it`);
      return whole;
    }
    filled.add(name);
    return `${begin}\n\n${content}\n\n${end}`;
  });
  const missing = [...blocks.keys()].filter((name) => !filled.has(name));
  if (missing.length > 0) {
    const markers = missing.map((name) => `<!-- ${name}:begin --> <!-- ${name}:end -->`);
    throw new Error(`${document} has no ${markers.join(', no ')}`);
  }
  writeFileSync(documentFile, updated);
}

/** Stores a picture and returns the line that shows it. */
function show({ name, description, svg }) {
  const image = `performance-${name}.svg`;
  mkdirSync(path.join(target, 'docs', 'images'), { recursive: true });
  writeFileSync(path.join(target, 'docs', 'images', image), svg);
  return `![${description}](images/${image})`;
}

function resultsOf(workload, pictures) {
  const lines = pictures.filter((picture) => picture.workload === workload).map(show);
  const table = workload.results.length > 0 ? [markdownTable(resultTable(workload))] : [];
  return [`### ${workloadTitle(workload)}`, ...lines, ...table].join('\n\n');
}

function tableOr(table, instead) {
  return table.rows.length > 0 ? markdownTable(table) : instead;
}

function notMeasured({ notMeasured: figures }) {
  if (figures.length === 0) return 'All figures that have a target were measured.';
  return `Not measured in this run: ${figures.join('; ')}.`;
}

/** The whole of another machine, without pictures. */
function besideThe(report) {
  return [
    `### ${processor(report.machine)}`,
    markdownTable(machineTable(report)),
    markdownTable(summaryTable(report)),
    tableOr(figureTable(report.figures), 'It has no figures with a target.'),
  ].join('\n\n');
}

async function store(file, report) {
  mkdirSync(path.dirname(file), { recursive: true });
  const style = await resolveConfig(path.join(root, 'package.json'));
  writeFileSync(file, await format(JSON.stringify(report), { ...style, parser: 'json' }));
}

const readReport = (name) => parseReport(readFileSync(name, 'utf8'));
const first = path.join(target, 'docs', 'performance.json');
const others = path.join(target, 'docs', 'performance');

function nameOf({ machine }) {
  return processor(machine)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

const given = readReport(file);
await store(options.beside ? path.join(others, `${nameOf(given)}.json`) : first, given);

const report = options.beside ? readReport(first) : given;
const stored = existsSync(others) ? readdirSync(others).sort() : [];
const beside = stored.map((name) => readReport(path.join(others, name)));
const pictures = await picturesOf(report);
const when = taken(report);
const blocks = new Map([
  ['performance:machine', markdownTable(machineTable(report))],
  [
    'performance:figures',
    `${tableOr(figureTable(report.figures), 'None in this run.')}\n\n${when}`,
  ],
  ['performance:not-measured', notMeasured(report)],
  [
    'performance:results',
    [when, ...report.workloads.map((one) => resultsOf(one, pictures))].join('\n\n'),
  ],
  ['performance:skipped', tableOr(skippedTable(report.workloads), 'Nothing.')],
  [
    'performance:distributions',
    tableOr(distributionTable([report, ...beside]), 'Not measured yet.'),
  ],
  ['performance:beside', beside.map(besideThe).join('\n\n') || 'None yet.'],
]);
for (const picture of pictures.filter(({ workload }) => workload === null)) {
  blocks.set(`performance:${picture.name}`, `${show(picture)}\n\n${when}`);
}

const short = `${markdownTable(shortSummaryTable(report))}\n\n${when}`;
fill('README.md', new Map([['performance', short]]));
fill(path.join('docs', 'performance.md'), blocks);
