import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { report } from '../unit/bench-report.fixture';
import { expectSuccess, root, run, runNode } from './child';

const minutes = 60_000;
const folder = mkdtempSync(path.join(tmpdir(), 'efl-bench-report-'));
const stored = path.join(folder, 'stored.json');

let files: readonly string[];

/** The fixture reads from stdin, which a shell connects. */
async function writeWithLibraries(): Promise<string[]> {
  const fixture = path.join(__dirname, 'fixtures', 'bench-report.cjs');
  const command = '"$1" "$2" "$3" < "$4"';
  const shell = ['-c', command, 'sh', process.execPath, fixture, path.join(folder, 'out'), stored];
  const ended = await run('sh', shell);
  expectSuccess(ended);
  return JSON.parse(ended.stdout) as string[];
}

beforeAll(async () => {
  const install = path.join(root, 'scripts', 'install-dependencies.mjs');
  expectSuccess(await runNode([install, path.join(root, 'bench')]));
  writeFileSync(stored, JSON.stringify(report));
  files = await writeWithLibraries();
}, 5 * minutes);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const text = (file: string): string => readFileSync(file, 'utf8');
const written = (name: string): string => text(path.join(folder, 'out', name));

test('a stored report is complete: JSON, Markdown, page and a picture of each kind', () => {
  expect(files.every((file) => existsSync(file))).toBe(true);
  expect(files.map((file) => path.basename(file))).toEqual([
    'report.json',
    'report.md',
    'report.html',
    'times-2000x1203-mixed.svg',
    'roofline.svg',
    'study-rows.svg',
  ]);
  expect(JSON.parse(written('report.json'))).toEqual(report);
  expect(written('report.md')).toContain('MISSED');
});

test('the charts name every contender in full, with its ratio to ours', () => {
  const svg = written('times-2000x1203-mixed.svg');
  const [workload] = report.workloads;
  for (const { name } of workload!.results) expect(svg).toContain(name);
  expect(svg).toContain('310 ns, 689 x ours');
  expect(written('roofline.svg')).toContain('67 %: 17.8 GB/s of 26.7 GB/s');
  expect(written('study-rows.svg')).toContain('nanoseconds a logit (logarithmic)');
});

test('the page needs nothing from elsewhere', () => {
  const page = written('report.html');
  expect(page.match(/<svg/g)).toHaveLength(3);
  expect(page).toContain('class="missed"');
  expect(page).not.toMatch(/<script|<link|src=|url\(http/);
});

test(
  'update-performance.mjs fills the marked places and leaves those it has nothing for',
  async () => {
    const target = path.join(folder, 'target');
    mkdirSync(path.join(target, 'docs'), { recursive: true });
    const page = path.join(target, 'docs', 'performance.md');
    copyFileSync(path.join(root, 'docs', 'performance.md'), page);
    const classes = `${marker('study-classes', 'begin')}\n\nas it was\n\n${marker('study-classes', 'end')}`;
    writeFileSync(page, text(page).replace(between('study-classes'), classes));
    const readme = path.join(target, 'README.md');
    writeFileSync(readme, '<!-- performance:begin -->\n<!-- performance:end -->\n');
    const study = { ...report.studies[0]!, id: 'rows-80' };
    writeFileSync(stored, JSON.stringify({ ...report, studies: [study] }));

    const script = path.join(root, 'scripts', 'update-performance.mjs');
    const ended = await runNode([script, stored, target]);
    expectSuccess(ended);
    expect(text(readme)).toMatch(/\| this package, AVX-512 +\| +2 \| +0\.45 \| +1\.00 \|/);
    expect(text(readme)).not.toContain('copy of the logits'); // that on one thread
    expect(text(page)).toMatch(/two threads over a copy.*MISSED/);
    expect(text(page)).toContain('(images/performance-study-rows-80.svg)');
    expect(text(page)).toContain(classes);
    expect(ended.stderr).toContain('performance:study-classes stays as it is');
    expect(existsSync(path.join(target, 'docs', 'images', 'performance-roofline.svg'))).toBe(true);

    // What it stored makes the same again.
    const [before, kept] = [text(page), path.join(target, 'docs', 'performance.json')];
    expectSuccess(await runNode([script, kept, target]));
    expect(text(page)).toBe(before);

    // A run on another processor comes beside it.
    const other = { ...report.machine, cpu: 'Another (R)', cpuNumbers: 'family 6, model 207' };
    writeFileSync(stored, JSON.stringify({ ...report, machine: other }));
    expectSuccess(await runNode([script, '--beside', stored, target]));
    const beside = path.join(target, 'docs', 'performance', 'another-r-family-6-model-207.json');
    expect(JSON.parse(text(beside))).toEqual({ ...report, machine: other });
    expect(text(page)).toMatch(
      /\| A processor \(family 25, [^\n]*\n\| Another \(R\) \(family 6, model 207\) +\| avx2 +\| +1\.20 \|/,
    );
    expect(text(page)).toContain('### Another (R) (family 6, model 207)');
    expect(text(kept)).not.toContain('Another');
    expect(text(readme)).not.toContain('Another');
  },
  2 * minutes,
);

function marker(name: string, end: 'begin' | 'end'): string {
  return `<!-- performance:${name}:${end} -->`;
}

function between(name: string): RegExp {
  return new RegExp(`${marker(name, 'begin')}[^]*?${marker(name, 'end')}`);
}
