// Puts the study of training length (`npm run study` in examples/long-tailed-detection) where it is
// shown: its summary into assets/training-length.json of the example, from which a run's report draws
// it, the picture docs/images/training-length.svg, and the table of every README.md that marks a place
// for it.
//
//   node scripts/update-study.mjs runs/study/study.json [folder in place of the repository]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './platform.mjs';
import { plain, replaceInFile, signed } from './readme-tables.mjs';

const file = process.argv[2];
if (!file) {
  console.error('Which study? node scripts/update-study.mjs runs/study/study.json');
  process.exit(2);
}
const { seeds, rates, tuning, results } = JSON.parse(readFileSync(file, 'utf8'));
if (seeds.length < 2) throw new Error('one seed has no spread');

const target = path.resolve(process.argv[3] ?? root);
const inExample = path.join('examples', 'long-tailed-detection');
const assets = path.join(target, inExample, 'assets');
const images = path.join(target, 'docs', 'images');
for (const folder of [assets, images]) mkdirSync(folder, { recursive: true });

const caps = ['apBudget', 'ap100', 'apUncapped'];
const groups = ['rare', 'common', 'frequent', 'all'];
const losses = ['ce', 'fl', 'efl'];
const lengths = rates.map(({ epochs }) => epochs);

function summary(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

function trial(loss, epochs, seed) {
  const found = results.filter(
    (result) => result.loss === loss && result.epochs === epochs && result.seed === seed,
  );
  if (found.length !== 1) {
    throw new Error(`${found.length} results of ${loss}, ${epochs} epochs, seed ${seed}`);
  }
  return found[0].ap;
}

/** Mean and deviation over the seeds, by cap and group, of what `pick` makes of the trials of a seed. */
function figures(pick) {
  const byGroup = (cap) =>
    Object.fromEntries(
      groups.map((group) => [group, summary(seeds.map((seed) => pick(seed, cap, group)))]),
    );
  return Object.fromEntries(caps.map((cap) => [cap, byGroup(cap)]));
}

const rounded = (key, value) => (typeof value === 'number' ? Number(value.toFixed(3)) : value);

const points = losses.flatMap((loss) =>
  lengths.map((epochs) => ({
    loss,
    epochs,
    ap: figures((seed, cap, group) => trial(loss, epochs, seed)[cap][group]),
  })),
);
const differences = ['fl', 'ce'].flatMap((baseline) =>
  lengths.map((epochs) => ({
    loss: 'efl',
    baseline,
    epochs,
    ap: figures(
      (seed, cap, group) =>
        trial('efl', epochs, seed)[cap][group] - trial(baseline, epochs, seed)[cap][group],
    ),
  })),
);
const tuningSeeds = [...new Set(tuning.map(({ seed }) => seed))];
const stored = { seeds, tuningSeeds, rates, losses: points, differences };
const summaryFile = path.join(assets, 'training-length.json');
writeFileSync(summaryFile, `${JSON.stringify(stored, rounded, 1)}\n`);

const picture = path.join(images, 'training-length.svg');
const draw = ['--import', 'tsx', 'src/draw-training-length.ts', summaryFile, picture];
const drawn = spawnSync(process.execPath, draw, {
  cwd: path.join(root, inExample),
  stdio: 'inherit',
});
if (drawn.status !== 0) process.exit(drawn.status ?? 1);

function row(epochs) {
  const ofLoss = (name) => points.find(({ loss, epochs: e }) => loss === name && e === epochs).ap;
  const { ap } = differences.find(({ baseline, epochs: e }) => baseline === 'fl' && e === epochs);
  const cells = [
    epochs,
    plain(ofLoss('fl').apBudget.rare),
    plain(ofLoss('efl').apBudget.rare),
    ...caps.map((cap) => signed(ap[cap].rare)),
    signed(ap.apBudget.frequent),
    signed(ap.apBudget.all),
  ];
  return `| ${cells.join(' | ')} |`;
}

const table = [
  `| epochs, ${seeds.length} seeds | FL, rare | EFL, rare | gain, rare | gain, rare, at 100 | gain, rare, no cap | gain, frequent | gain, all |`,
  '| ---: | --- | --- | --- | --- | --- | --- | --- |',
  ...lengths.map(row),
].join('\n');

for (const folder of [target, path.join(target, inExample)]) {
  const readme = path.join(folder, 'README.md');
  if (!existsSync(readme)) continue;
  if (readFileSync(readme, 'utf8').includes('<!-- study -->')) {
    await replaceInFile(readme, 'study', table);
  }
}
