import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expectSuccess, root, run, runNode } from './child';

const minutes = 60_000;
const folder = mkdtempSync(path.join(tmpdir(), 'efl-demo-'));
const example = path.join(root, 'examples', 'long-tailed-detection');

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Metrics {
  readonly losses: readonly {
    readonly loss: string;
    readonly ap: { readonly apBudget: Readonly<Record<string, { readonly mean: number }>> };
  }[];
}

test(
  'npm run demo -- --quick trains for real and writes table, metrics, report and event files',
  async () => {
    const output = path.join(folder, 'quick');
    const ended = await run('npm', ['run', 'demo', '--', '--quick', '--out', output]);
    expectSuccess(ended);
    expect(ended.stdout).toMatch(/rare +common +frequent +all/);
    expect(ended.stdout).toMatch(/Focal Loss +\d/);
    expect(ended.stdout).toMatch(/Equalized Focal Loss +\d/);
    const metrics = JSON.parse(readFileSync(path.join(output, 'metrics.json'), 'utf8')) as Metrics;
    expect(metrics.losses.map(({ loss }) => loss)).toEqual(['fl', 'efl']);
    for (const { ap } of metrics.losses) expect(ap.apBudget['all']!.mean).toBeGreaterThan(10);
    expect(readFileSync(path.join(output, 'report.html'), 'utf8')).toMatch(/<svg[\s>]/);
    expect(readdirSync(path.join(output, 'tensorboard'))).toEqual(['efl-seed1', 'fl-seed1']);

    // What README.md says is done with a run, on a copy of it.
    copyFileSync(path.join(root, 'README.md'), path.join(folder, 'README.md'));
    const script = path.join(root, 'scripts', 'update-results.mjs');
    expectSuccess(await runNode([script, output, folder]));
    const readme = readFileSync(path.join(folder, 'README.md'), 'utf8');
    expect(readme).toMatch(/\| Equalized Focal Loss \| \d+\.\d \|/);
  },
  6 * minutes,
);

test(
  "the example's own tests pass: average precision, gradients, event files, resuming, errors",
  async () => {
    expectSuccess(await run('npm', ['test'], { cwd: example }));
  },
  6 * minutes,
);
