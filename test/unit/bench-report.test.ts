import { compareReports } from '../../bench/report/compare';
import { markdownOf } from '../../bench/report/markdown';
import type { Report } from '../../bench/report/report';
import { shortSummaryTable } from '../../bench/report/summary';
import { around, ours, report, timed, withOurs, workload } from './bench-report.fixture';

function slowerBy(factor: number, noise: number): Report {
  return withOurs({ ...ours, timesCopy: around(ours.timesCopy.median * factor, noise) });
}

test('the table says which figures miss their target', () => {
  const lines = markdownOf(report).split('\n');
  expect(lines.find((line) => line.includes('two threads over a copy'))).toMatch(
    /3\.10 x .* at most 2\.50 x .* MISSED/,
  );
  expect(lines.find((line) => line.includes('one thread over a copy'))).toMatch(/ met +\|$/);
  expect(lines.find((line) => line.includes('| a call'))).not.toMatch(/met|MISSED/);
});

test('the table has every contender, the fastest first, and how many rows it was timed with', () => {
  const text = markdownOf(report);
  const rows = text.split('\n').filter((line) => /^\| (copy  |copy of|this|Tensor)/.test(line));
  expect(rows.map((row) => Number(row.split('|').at(-7)))).toEqual([0.3, 0.35, 0.45, 1.2, 310]);
  expect(rows.at(-1)).toContain('(200 rows)');
  expect(text).toMatch(/NumPy +\| all +\| no module named numpy/);
});

test('the short table has the package, the copy on most threads, and the peers that readers know', () => {
  const peers = ['plain-javascript', 'python-numpy', 'tfjs-wasm'].map((id) =>
    timed({ id, name: id, family: 'python', nanoseconds: 50 }),
  );
  const workloads = [{ ...workload, results: [...workload.results, ...peers] }];
  const { rows } = shortSummaryTable({ ...report, workloads });
  expect(rows.map(([name, threads]) => `${name} ${threads}`)).toEqual([
    'copy 2',
    'this package, AVX-512 2',
    'this package, AVX2 1',
    'plain-javascript 1',
    'tfjs-wasm 1',
  ]);
});

test('a bar in a name does not make another column', () => {
  const row = markdownOf(report)
    .split('\n')
    .find((line) => line.includes('TensorFlow.js'))!;
  expect(row).toContain('wasm \\| SIMD');
  expect(row.split(/(?<!\\)\|/)).toHaveLength(10);
});

test('one row has the times of all distributions of logits, and the slowest over undecided ones', () => {
  const row = markdownOf(report)
    .split('\n')
    .find((line) => line.startsWith('| A processor (family 25, model 17, stepping 1) | avx2'))!;
  const cells = row.split('|').map((cell) => cell.trim());
  expect(cells.slice(3, 9)).toEqual(['1.20', '1.30', '6.10', '1.40', '5.08 x', '±2 %']);
});

test('a report agrees with itself', () => {
  const { regressions, text } = compareReports(report, report);
  expect(regressions).toEqual([]);
  expect(text).toContain('No regression beyond the noise in 2 results');
});

test('a slower contender is a regression', () => {
  const { regressions, text } = compareReports(withOurs(ours), slowerBy(1.3, 0.02));
  expect(regressions).toHaveLength(1);
  expect(regressions[0]!.growth).toBeCloseTo(0.3);
  expect(text).toMatch(/\+30 % \| SLOWER/);
});

test('what the noise explains is no regression', () => {
  expect(compareReports(withOurs(ours), slowerBy(1.3, 0.35)).regressions).toEqual([]);
});

test('less than 5 % is no regression, however steady', () => {
  expect(compareReports(slowerBy(1, 0.001), slowerBy(1.04, 0.001)).regressions).toEqual([]);
});

test('a faster contender is no regression', () => {
  const { regressions, text } = compareReports(withOurs(ours), slowerBy(0.7, 0.02));
  expect(regressions).toEqual([]);
  expect(text).toMatch(/-30 % \| faster/);
});

test('only the package itself can regress', () => {
  const peer = { id: 'loop', name: 'a loop', family: 'javascript' } as const;
  const before = withOurs(ours, timed({ ...peer, nanoseconds: 50 }));
  const after = withOurs(ours, timed({ ...peer, nanoseconds: 100 }));
  expect(compareReports(before, after).regressions).toEqual([]);
});

test('another shape is listed and not compared', () => {
  const other = {
    ...report,
    workloads: [{ ...workload, name: '100 x 80', rows: 100, classes: 80 }],
  };
  const { text } = compareReports(report, other);
  expect(text).toMatch(/only in the report before:\n\n- 2000 x 1203/);
  expect(text).toMatch(/only in the report after:\n\n- 100 x 80/);
  expect(text).toContain('nothing in common');
});

test('a comparison says that the machines differ', () => {
  const after = { ...report, machine: { ...report.machine, cpu: 'Another' } };
  expect(compareReports(report, after).text).toMatch(
    /machines differ[^]*cpu: A processor before, Another after/,
  );
  expect(compareReports(report, report).text).not.toContain('machines differ');
});
