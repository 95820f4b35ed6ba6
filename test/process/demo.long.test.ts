import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expectSuccess, root, run, runNode } from './child';

const minutes = 60_000;
const folder = mkdtempSync(path.join(tmpdir(), 'efl-demo-'));
const example = path.join(root, 'examples', 'long-tailed-detection');

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

type Figures = Readonly<Record<string, { readonly mean: number; readonly deviation?: number }>>;

interface Metrics {
  readonly losses: readonly {
    readonly loss: string;
    readonly ap: { readonly apBudget: Figures };
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
    expect(readdirSync(path.join(output, 'tensorboard'))).toEqual(['efl-seed21', 'fl-seed21']);

    // What README.md says is done with a run, on a copy of it.
    copyFileSync(path.join(root, 'README.md'), path.join(folder, 'README.md'));
    const script = path.join(root, 'scripts', 'update-results.mjs');
    expectSuccess(await runNode([script, output, folder]));
    const readme = readFileSync(path.join(folder, 'README.md'), 'utf8');
    expect(readme).toMatch(/\| AP in % after 4 epochs \(seed 21\) +\|/);
    expect(readme).toMatch(/\| Equalized Focal Loss +\| \d+\.\d +\|/);
    expect(readme).toMatch(/\| Equalized Focal Loss minus Focal Loss, no cap +\|/);
  },
  6 * minutes,
);

test(
  'the default run shows the figures of README.md within three standard deviations of their seeds',
  async () => {
    const output = path.join(folder, 'default');
    const ended = await run('npm', ['run', 'demo', '--', '--out', output]);
    expectSuccess(ended);
    expect(ended.stdout).toMatch(/README\.md, 5 seeds/);
    expect(ended.stdout).toMatch(
      /Every\s+figure\s+of\s+this\s+run\s+lies\s+within\s+3\s+standard\s+deviations/,
    );
    const read = (file: string): Metrics => JSON.parse(readFileSync(file, 'utf8')) as Metrics;
    const own = read(path.join(output, 'metrics.json'));
    const { losses } = read(path.join(example, 'assets', 'expected.json'));
    expect(losses.map(({ loss }) => loss)).toEqual(['ce', 'fl', 'efl']);
    for (const { loss, ap } of losses) {
      const figures = own.losses.find((report) => report.loss === loss)!.ap.apBudget;
      for (const [group, { mean, deviation }] of Object.entries(ap.apBudget)) {
        const distance = Math.abs(figures[group]!.mean - mean);
        expect(distance).toBeLessThanOrEqual(3 * deviation!);
      }
    }
  },
  10 * minutes,
);

/** A study of two lengths and two seeds, in which EFL is 4 points better and all seeds 1 point apart. */
function madeUpStudy(): string {
  const seeds = [1, 2];
  const rates = [3, 12].map((epochs) => ({ epochs, tunedAt: 3, rates: { ce: 1, fl: 1, efl: 1 } }));
  const results = rates.flatMap(({ epochs }) =>
    ['ce', 'fl', 'efl'].flatMap((loss) =>
      seeds.map((seed) => {
        const value = epochs + seed + (loss === 'efl' ? 4 : 0);
        const means = { rare: value, common: value, frequent: value, all: value };
        return { loss, seed, epochs, ap: { apBudget: means, ap100: means, apUncapped: means } };
      }),
    ),
  );
  return JSON.stringify({ seeds, rates, tuning: [{ seed: 9 }], results });
}

test('a study of training length becomes a picture, a table and what reports draw it from', async () => {
  const target = path.join(folder, 'study');
  mkdirSync(target);
  writeFileSync(path.join(target, 'README.md'), '<!-- study -->\n<!-- /study -->\n');
  writeFileSync(path.join(target, 'study.json'), madeUpStudy());
  const script = path.join(root, 'scripts', 'update-study.mjs');
  expectSuccess(await runNode([script, path.join(target, 'study.json'), target]));
  const readme = readFileSync(path.join(target, 'README.md'), 'utf8');
  expect(readme).toMatch(/\| +12 \| 13\.5 ± 0\.7 \| 17\.5 ± 0\.7 \| \+4\.0 ± 0\.0/);
  const svg = readFileSync(path.join(target, 'docs', 'images', 'training-length.svg'), 'utf8');
  expect(svg).toMatch(/<title[^>]*>Average precision against training length, 2 seeds</);
  for (const name of ['Cross-entropy', 'Focal Loss', 'Equalized Focal Loss']) {
    expect(svg).toContain(`>${name}<`);
  }
  const assets = path.join(target, 'examples', 'long-tailed-detection', 'assets');
  expect(readdirSync(assets)).toEqual(['training-length.json']);
}, 60_000);

test(
  "the example's own tests pass: average precision, gradients, event files, resuming, errors",
  async () => {
    expectSuccess(await run('npm', ['test'], { cwd: example }));
  },
  6 * minutes,
);
