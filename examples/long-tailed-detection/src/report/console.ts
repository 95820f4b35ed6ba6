/** The table and the explanation printed at the end. */
import { displayPath } from '../cli.ts';
import { detectionCaps, LOSS_TITLES } from '../config.ts';
import { GROUPS_AND_ALL } from '../evaluation/groups.ts';
import type { RunDirectory } from '../experiment/run-directory.ts';
import { describeMethod } from './method.ts';
import type { Difference, LossSummary, Spread, Summary } from './summary.ts';

export function consoleReport(directory: RunDirectory, summary: Summary): string {
  const { losses, differences, config } = summary;
  const budget = detectionCaps(config.classes).apBudget;
  const seeds = config.seeds.length > 1 ? `, mean ± sd over ${config.seeds.length} seeds` : '';
  const header = ['', ...GROUPS_AND_ALL, 'loss per step'];
  const rows = [header, ...losses.map(lossRow), ...differences.map(differenceRow)];
  return [
    '',
    `Average precision in %, at most ${budget} detections per image${seeds}`,
    '',
    ...formatTable(rows),
    ...seedBySeed(summary),
    '',
    ...describeMethod(summary).flatMap((line) => wrap(line)),
    '',
    `Figures:     ${displayPath(directory.metricsFile)}`,
    `Report:      ${displayPath(directory.reportFile)}`,
    `TensorBoard: tensorboard --logdir ${displayPath(directory.tensorboardDirectory)}`,
  ].join('\n');
}

function lossRow({ loss, ap, lossMilliseconds }: LossSummary): string[] {
  const figures = GROUPS_AND_ALL.map((group) => formatSpread(ap.apBudget[group]));
  return [LOSS_TITLES[loss], ...figures, `${lossMilliseconds.mean.toFixed(2)} ms`];
}

function differenceRow({ loss, baseline, ap }: Difference): string[] {
  const figures = GROUPS_AND_ALL.map((group) => formatSpread(ap.apBudget[group], true));
  return [differenceTitle({ loss, baseline }), ...figures, ''];
}

/** How the differences on rare classes, the point of the exercise, came out for each seed. */
function seedBySeed({ config, differences }: Summary): string[] {
  if (config.seeds.length < 2) return [];
  const lines = differences.map(({ ap, ...losses }) => {
    const values = ap.apBudget.rare.values.map((v) => `${v >= 0 ? '+' : ''}${v.toFixed(1)}`);
    return `${differenceTitle(losses)}, rare, seed by seed: ${values.join('  ')}`;
  });
  return ['', ...lines];
}

export const differenceTitle = ({
  loss,
  baseline,
}: Pick<Difference, 'loss' | 'baseline'>): string =>
  `${loss.toUpperCase()} minus ${baseline.toUpperCase()}`;

export function formatSpread({ mean, deviation }: Spread, signed = false, digits = 1): string {
  const sign = signed && mean >= 0 ? '+' : '';
  const spread = deviation === undefined ? '' : ` ± ${deviation.toFixed(digits)}`;
  return `${sign}${mean.toFixed(digits)}${spread}`;
}

/** Left-aligned first column, right-aligned figures, a line under the header. */
function formatTable(rows: readonly string[][]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('   ')
      .trimEnd(),
  );
  const rule = '-'.repeat(Math.max(...lines.map((line) => line.length)));
  return [lines[0], rule, ...lines.slice(1)];
}

const LINE_WIDTH = 96;

/** One point of a list, broken between words. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < LINE_WIDTH) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(lines.length === 0 ? `- ${word}` : `  ${word}`);
    }
  }
  return lines;
}
