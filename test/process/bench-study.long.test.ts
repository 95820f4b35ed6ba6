import type { Study } from '../../bench/report/report';
import { expectSuccess, runFixture } from './child';

test('a quick scaling study draws every curve of every study', async () => {
  const ended = await runFixture('bench-study.cjs');
  expectSuccess(ended);
  const studies = JSON.parse(ended.stdout) as Study[];
  const timed = ['rows-80', 'rows-8', 'classes', 'threads', 'positives', 'gamma'];
  const ids = studies.map(({ id }) => id);
  expect(ids).toEqual(process.platform === 'linux' ? [...timed, 'memory'] : timed);
  for (const { series } of studies) {
    const places = series.map(({ points }) => points.map(({ x }) => x));
    for (const xs of places) {
      expect(xs.length).toBeGreaterThan(0);
      expect(xs).toEqual([...new Set(xs)].sort((a, b) => a - b));
    }
    const values = series.flatMap(({ points }) => points.map(({ y }) => y.median));
    expect(Math.min(...values)).toBeGreaterThan(0);
  }
  const rows = studies[0]!.series.map(({ name }) => name);
  expect(rows).toEqual(expect.arrayContaining(['this package, 1 thread', 'copy, 1 thread']));
}, 180_000);
