// Puts the results of a demo run into README.md: its table. From a run of several seeds it
// also makes examples/long-tailed-detection/assets/expected.json, which later runs are compared with.
//
//   node scripts/update-results.mjs runs/<name> [folder with README.md]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './platform.mjs';
import { plain, replaceInFile, signed } from './readme-tables.mjs';

const run = process.argv[2];
if (!run) {
  console.error('Which run? node scripts/update-results.mjs runs/<name>');
  process.exit(2);
}
const target = process.argv[3] ?? root;
const { config, data, losses, differences } = JSON.parse(
  readFileSync(path.join(run, 'metrics.json'), 'utf8'),
);

const names = { ce: 'Cross-entropy', fl: 'Focal Loss', efl: 'Equalized Focal Loss' };
const groups = ['rare', 'common', 'frequent', 'all'];
const caps = {
  apBudget: `at most ${data.detectionBudget} detections per image`,
  ap100: 'at most 100',
  apUncapped: 'no cap',
};

const row = (title, ap, figure) =>
  `| ${[title, ...groups.map((group) => figure(ap[group]))].join(' | ')} |`;

const seeds = config.seeds.length > 1 ? `mean ± sd, seeds` : 'seed';
const table = [
  `| AP in % after ${config.epochs} epochs (${seeds} ${config.seeds.join(', ')}) | ${groups.join(' | ')} |`,
  '| --- | --- | --- | --- | --- |',
  ...losses.map(({ loss, ap }) => row(names[loss], ap.apBudget, plain)),
  ...differences
    .filter(({ baseline }) => baseline === 'fl')
    .flatMap(({ loss, baseline, ap }) =>
      Object.entries(caps).map(([name, cap]) =>
        row(`${names[loss]} minus ${names[baseline]}, ${cap}`, ap[name], signed),
      ),
    ),
].join('\n');

await replaceInFile(path.join(target, 'README.md'), 'results', table);

if (config.seeds.length > 1) {
  const assets = path.join(target, 'examples', 'long-tailed-detection', 'assets');
  mkdirSync(assets, { recursive: true });
  const expected = { config, losses: losses.map(({ loss, ap }) => ({ loss, ap })) };
  writeFileSync(path.join(assets, 'expected.json'), `${JSON.stringify(expected, null, 1)}\n`);
} else {
  console.log('One seed has no spread: expected.json is left as it is.');
}
