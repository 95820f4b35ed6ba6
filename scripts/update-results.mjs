// Puts the table of a demo run into README.md.
//
//   node scripts/update-results.mjs runs/<name> [folder with README.md]
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './platform.mjs';

const run = process.argv[2];
if (!run) {
  console.error('Which run? node scripts/update-results.mjs runs/<name>');
  process.exit(2);
}
const target = process.argv[3] ?? root;
const { config, losses, differences } = JSON.parse(
  readFileSync(path.join(run, 'metrics.json'), 'utf8'),
);

const names = { ce: 'Cross-entropy', fl: 'Focal Loss', efl: 'Equalized Focal Loss' };
const groups = ['rare', 'common', 'frequent', 'all'];

function figure({ mean, deviation }, signed) {
  const sign = signed && mean >= 0 ? '+' : '';
  const spread = config.seeds.length > 1 ? ` ± ${deviation.toFixed(1)}` : '';
  return `${sign}${mean.toFixed(1)}${spread}`;
}

function row(title, ap, signed) {
  const figures = groups.map((group) => figure(ap.apBudget[group], signed));
  return `| ${[title, ...figures].join(' | ')} |`;
}

/** No figure without the length of its training. */
function head() {
  const { length } = config.seeds;
  const spread = length > 1 ? `mean ± sd, ${length} seeds` : `seed ${config.seeds[0]}`;
  return `AP in % after ${config.epochs} epochs (${spread})`;
}

const table = [
  `| ${head()} | rare | common | frequent | all |`,
  '| --- | --- | --- | --- | --- |',
  ...losses.map(({ loss, ap }) => row(names[loss], ap, false)),
  ...differences
    .filter(({ baseline }) => baseline === 'fl')
    .map(({ loss, baseline, ap }) => row(`${names[loss]} minus ${names[baseline]}`, ap, true)),
].join('\n');

function replaceBetween(text, name, content) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < 0) throw new Error(`README.md has no ${begin} ... ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}

const readme = path.join(target, 'README.md');
writeFileSync(readme, replaceBetween(readFileSync(readme, 'utf8'), 'results', table));
