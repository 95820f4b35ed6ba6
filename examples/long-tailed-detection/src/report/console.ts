/** The table and the explanation printed at the end. */
import { displayPath } from '../cli.ts';
import { detectionCaps, LOSS_TITLES, type ApName } from '../config.ts';
import { GROUPS_AND_ALL } from '../evaluation/groups.ts';
import type { RunDirectory } from '../experiment/run-directory.ts';
import { describeAgreement, expectedFor, ofRun } from './expected.ts';
import { describeFinding, gainsByCap, mainDifference } from './finding.ts';
import {
  capTitle,
  differenceTitle,
  enumerate,
  formatSigned,
  formatSpread,
  plural,
} from './format.ts';
import { describeLength, describeMethod } from './method.ts';
import type { Difference, GroupSpread, LossSummary, Summary } from './summary.ts';

export function consoleReport(directory: RunDirectory, summary: Summary): string {
  const { losses, differences, config } = summary;
  const budget = detectionCaps(config.classes).apBudget;
  const seeds =
    config.seeds.length > 1
      ? `mean ± sd over ${config.seeds.length} seeds`
      : `one seed, ${config.seeds[0]}`;
  const header = ['', ...GROUPS_AND_ALL, 'loss per step'];
  const rows = [header, ...losses.map(lossRow), ...differences.map(differenceRow)];
  return [
    '',
    `Average precision in % after ${plural(config.epochs, 'epoch')}, at most ${budget} detections per ` +
      `image, ${seeds}`,
    '',
    ...formatTable(rows),
    ...underOtherCaps(summary),
    ...seedBySeed(summary),
    ...readmeFigures(summary),
    '',
    ...wrap(describeFinding(summary), ''),
    '',
    ...wrap(describeLength(config), ''),
    '',
    ...describeMethod(summary).flatMap((line) => wrap(line, '- ')),
    '',
    `Figures:     ${displayPath(directory.metricsFile)}`,
    `Report:      ${displayPath(directory.reportFile)}`,
    `TensorBoard: tensorboard --logdir ${displayPath(directory.tensorboardDirectory)}`,
  ].join('\n');
}

const figures = (spread: GroupSpread, signed = false): string[] =>
  GROUPS_AND_ALL.map((group) => formatSpread(spread[group], signed));

const lossRow = ({ loss, ap, lossMilliseconds }: LossSummary): string[] => [
  LOSS_TITLES[loss],
  ...figures(ap.apBudget),
  `${lossMilliseconds.mean.toFixed(2)} ms`,
];

const differenceRow = (difference: Difference): string[] => [
  differenceTitle(difference),
  ...figures(difference.ap.apBudget, true),
  '',
];

/** The main difference again, where a cap decides less or nothing. */
function underOtherCaps(summary: Summary): string[] {
  const difference = mainDifference(summary);
  if (!difference) return [];
  const { classes, epochs } = summary.config;
  const row = ({ name, figures: ap }: { name: ApName; figures: GroupSpread }): string[] => [
    capTitle(name, classes),
    ...figures(ap, true),
  ];
  const title = `${differenceTitle(difference)}, ${plural(epochs, 'epoch')}`;
  const rows = [[title, ...GROUPS_AND_ALL], ...gainsByCap(difference).map(row)];
  return ['', ...formatTable(rows)];
}

/** What README.md shows, where this run has the same settings. */
function readmeFigures(summary: Summary): string[] {
  const expected = expectedFor(summary.config);
  if (!expected) return [];
  const { seeds } = expected.config;
  const title = `README.md, ${plural(seeds.length, 'seed')}`;
  const rows = ofRun(expected, summary).map(({ loss, ap }) => [
    LOSS_TITLES[loss],
    ...figures(ap.apBudget),
  ]);
  return [
    '',
    ...formatTable([[title, ...GROUPS_AND_ALL], ...rows]),
    '',
    ...wrap(
      `These are mean ± sd over the seeds ${enumerate(seeds)}. ${describeAgreement(expected, summary)}`,
      '',
    ),
  ];
}

/** How the differences on rare classes, the point of the exercise, came out for each seed. */
function seedBySeed({ config, differences }: Summary): string[] {
  if (config.seeds.length < 2) return [];
  const lines = differences.map(({ ap, ...losses }) => {
    const values = ap.apBudget.rare.values.map((value) => formatSigned(value));
    return `${differenceTitle(losses)}, rare, seed by seed: ${values.join('  ')}`;
  });
  return ['', ...lines];
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

/** Broken between words; lines after the first are set in as far as the text after `bullet`. */
function wrap(text: string, bullet: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < LINE_WIDTH) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(`${lines.length === 0 ? bullet : ' '.repeat(bullet.length)}${word}`);
    }
  }
  return lines;
}
