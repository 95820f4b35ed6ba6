/** The sections of figures: average precision, gains, curves, and what Equalized Focal Loss did. */
import { detectionCaps, LOSS_TITLES, type ApName } from '../../config.ts';
import { GROUPS_AND_ALL } from '../../evaluation/groups.ts';
import { lossChart, ratioByCountChart, ratioOverTimeChart, recallChart } from '../charts/curves.ts';
import { drawAlone, drawChart } from '../charts/draw.ts';
import { gainByCapChart, gainByCountChart } from '../charts/gains.ts';
import { precisionChart } from '../charts/precision.ts';
import { describeAgreement, expectedFor, ofRun } from '../expected.ts';
import { gainsByCap, mainDifference } from '../finding.ts';
import { capTitle, differenceTitle, enumerate, formatSpread, plural } from '../format.ts';
import { figure, paragraph, section, table, type Section, type TableRow } from '../html.ts';
import { mainComparison } from '../scene-choice.ts';
import type { ClassReport, GroupSpread, LossSummary, Summary } from '../summary.ts';

const whiskers = ({ config }: Summary): string =>
  config.seeds.length > 1
    ? ` Whiskers are one standard deviation over ${config.seeds.length} seeds.`
    : ' One seed: no spread.';

function groupRow(title: string, figures: GroupSpread, digits = 1): TableRow {
  return { cells: [title, ...GROUPS_AND_ALL.map((g) => formatSpread(figures[g], false, digits))] };
}

function precisionTable({ losses, differences, config }: Summary, name: ApName): string {
  const rows = losses.map(({ loss, ap }) => groupRow(LOSS_TITLES[loss], ap[name]));
  const differenceRows = differences.map((difference) => ({
    cells: [
      differenceTitle(difference),
      ...GROUPS_AND_ALL.map((group) => formatSpread(difference.ap[name][group], true)),
    ],
    className: 'difference',
  }));
  return table({
    caption:
      `Average precision in % after ${plural(config.epochs, 'epoch')}, ` +
      `${capTitle(name, config.classes)}.`,
    header: ['', ...GROUPS_AND_ALL].map((cell) => cell || 'loss'),
    bodies: [{ rows: [...rows, ...differenceRows] }],
  });
}

export async function resultSection(summary: Summary): Promise<Section> {
  const cap = detectionCaps(summary.config.classes).apBudget;
  return section(
    'result',
    'Average precision',
    figure(
      await drawFirst(summary),
      `Average precision by frequency of the class, at most ${cap} detections per image, after ` +
        `${plural(summary.config.epochs, 'epoch')}.${whiskers(summary)}`,
    ),
    precisionTable(summary, 'apBudget'),
    ...readmeTable(summary),
  );
}

/** What README.md shows, where this run has the same settings. */
function readmeTable(summary: Summary): string[] {
  const expected = expectedFor(summary.config);
  if (!expected) return [];
  const { seeds } = expected.config;
  return [
    table({
      caption:
        `The same in README.md: mean and standard deviation of the seeds ${enumerate(seeds)}. ` +
        describeAgreement(expected, summary),
      header: ['loss', ...GROUPS_AND_ALL],
      bodies: [
        {
          rows: ofRun(expected, summary).map(({ loss, ap }) =>
            groupRow(LOSS_TITLES[loss], ap.apBudget),
          ),
        },
      ],
    }),
  ];
}

/** The first picture of the page, which is also stored as a file of its own: it brings its colours. */
async function drawFirst(summary: Summary): Promise<string> {
  const chart = precisionChart(summary);
  const both = await drawChart(chart);
  return both.replace(/<svg[\s\S]*?<\/svg>/, await drawAlone(chart));
}

export async function capSection(summary: Summary): Promise<Section[]> {
  const difference = mainDifference(summary);
  const tables = (['ap100', 'apUncapped'] as const).map((name) => precisionTable(summary, name));
  const title = 'With more detections';
  if (!difference) return [section('caps', title, ...tables)];
  const rows = gainsByCap(difference).map(({ name, figures }) => ({
    cells: [
      capTitle(name, summary.config.classes),
      ...GROUPS_AND_ALL.map((group) => formatSpread(figures[group], true)),
    ],
  }));
  return [
    section(
      'caps',
      'The gain with more detections',
      paragraph(
        'A cap makes classes compete for places among the detections of an image. Without one, only ' +
          'the ranking inside each class is left. What a gain loses from the first row to the last ' +
          'is calibration between classes.',
      ),
      figure(
        await drawChart(gainByCapChart(summary, difference)),
        `${LOSS_TITLES[difference.loss]} minus ${LOSS_TITLES[difference.baseline]}.${whiskers(summary)}`,
      ),
      table({
        caption:
          `${differenceTitle(difference)} in points of average precision after ` +
          `${plural(summary.config.epochs, 'epoch')}.`,
        header: ['cap', ...GROUPS_AND_ALL],
        bodies: [{ rows }],
      }),
      `<div class="pair">${tables.join('')}</div>`,
    ),
  ];
}

export async function countSection(summary: Summary): Promise<Section[]> {
  const difference = mainDifference(summary);
  if (!difference || summary.config.balanced) return [];
  const cap = detectionCaps(summary.config.classes).apBudget;
  const seeds =
    summary.config.seeds.length > 1 ? `, the mean of ${summary.config.seeds.length} seeds` : '';
  return [
    section(
      'by-count',
      'Who gains: by training images',
      figure(
        await drawChart(gainByCountChart(summary, difference)),
        `Each mark is a class${seeds}, at most ${cap} detections per image. Bars are means of classes ` +
          'with about as many images: solid with the cap, dashed without one.',
      ),
    ),
  ];
}

/** Of the rare classes the one with the highest, the middle and the lowest value. */
function spreadRanks(classes: readonly ClassReport[], value: (rank: number) => number): number[] {
  const ranks = classes.flatMap(({ group }, rank) => (group === 'rare' ? [rank] : []));
  const sorted = ranks.sort((a, b) => value(b) - value(a));
  const chosen = [sorted[0], sorted[sorted.length >> 1], sorted[sorted.length - 1]];
  return [...new Set(chosen)];
}

export async function recallSection(summary: Summary): Promise<Section> {
  const { challenger, rival } = mainComparison(summary.config);
  const reports = summary.reports.filter(({ seed }) => seed === summary.config.seeds[0]);
  const own = reports.find(({ loss }) => loss === challenger)!.perClass;
  const other = reports.find(({ loss }) => loss === rival)?.perClass;
  const ranks = spreadRanks(own, (rank) => own[rank].apBudget - (other?.[rank].apBudget ?? 0));
  const rule = rival
    ? `the largest, the middle and the smallest difference of ${LOSS_TITLES[challenger]} to ${LOSS_TITLES[rival]}`
    : 'the highest, the middle and the lowest average precision';
  const cap = detectionCaps(summary.config.classes).apBudget;
  return section(
    'recall',
    'Precision and recall of rare classes',
    figure(
      await drawChart(recallChart(summary, reports, ranks)),
      `The rare classes with ${rule} (seed ${reports[0].seed}, at most ${cap} detections per image, ` +
        `${plural(summary.config.epochs, 'epoch')}). Precision is the best one at this recall or a ` +
        'higher one, whose mean is the average precision. A loss without a line has found nothing.',
    ),
  );
}

/** How Equalized Focal Loss treated the classes, for the first seed. */
export async function ratioSection({ reports, config }: Summary): Promise<Section[]> {
  const report = reports.find(({ loss }) => loss === 'efl');
  if (!report) return [];
  const { gamma, scaleFactor } = config;
  return [
    section(
      'gradient-ratio',
      'What Equalized Focal Loss did',
      paragraph(
        'g is the positive gradient that a class has gathered divided by its negative one, at most 1. ' +
          `The focusing factor of a class is γ = ${gamma} + ${scaleFactor} (1 − g): at g = 1 it is that of ` +
          'Focal Loss, and the two losses are the same.',
      ),
      figure(
        await drawChart(ratioOverTimeChart(report)),
        'Mean of each group while training; the band is the middle 80 % of its classes.',
      ),
      figure(await drawChart(ratioByCountChart(report)), 'Each mark is a class.'),
    ),
  ];
}

export async function moreSection(summary: Summary): Promise<Section> {
  const rows = (pick: (loss: LossSummary) => GroupSpread, digits: number): TableRow[] =>
    summary.losses.map((loss) => groupRow(LOSS_TITLES[loss.loss], pick(loss), digits));
  const times = summary.losses.map(
    ({ loss, lossMilliseconds }) => `${LOSS_TITLES[loss]} ${lossMilliseconds.mean.toFixed(2)} ms`,
  );
  const small = (caption: string, pick: (loss: LossSummary) => GroupSpread, digits: number) =>
    table({ caption, header: ['loss', ...GROUPS_AND_ALL], bodies: [{ rows: rows(pick, digits) }] });
  return section(
    'more',
    'More figures',
    small(
      'Objects found where a loss makes as many detections as there are objects, in %.',
      (l) => l.found,
      1,
    ),
    small('Mean score of the right class at the cells of the objects.', (l) => l.trueClassScore, 2),
    small('Objects for which the right class scores highest, in %.', (l) => l.topOne, 1),
    figure(
      await drawChart(lossChart(summary)),
      'Training loss, divided by the number of objects in the batch, on logarithmic scales. Each ' +
        'panel has a scale of its own: the values of different losses cannot be compared. ' +
        `Median time of a loss per step: ${times.join(', ')}.`,
    ),
  );
}
