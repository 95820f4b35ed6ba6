import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expectSuccess, run } from './child';

const folder = mkdtempSync(path.join(tmpdir(), 'efl-bench-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test('npm run bench checks that all contenders agree, and prints and stores ratios', async () => {
  const file = path.join(folder, 'results.json');
  const ended = await run('npm', ['run', 'bench', '--', '--quick', '--json', file]);
  expectSuccess(ended);
  expect(ended.stdout).toMatch(/this package .* copies +1\.0 x ours/);
  expect(ended.stdout).toMatch(/plain JavaScript.* x ours/);
  const { results } = JSON.parse(readFileSync(file, 'utf8')) as {
    results: { workload: string; timings: { name: string; median: number }[] }[];
  };
  expect(results).toHaveLength(1);
  expect(results[0]!.timings.every(({ median }) => median > 0)).toBe(true);
}, 120_000);
