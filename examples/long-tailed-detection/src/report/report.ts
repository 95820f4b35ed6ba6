/** report.html: tables, figures and example scenes of a run. */
import { LOSS_TITLES, type ApName, type ExperimentConfig, detectionCaps } from '../config.ts';
import { GROUPS_AND_ALL } from '../evaluation/groups.ts';
import type { RunDirectory } from '../experiment/run-directory.ts';
import { writeFileAtomically } from '../io/files.ts';
import { gammaByRankChart, gammaOverTimeChart, lossChart, precisionChart } from './charts.ts';
import { differenceTitle, formatSpread } from './console.ts';
import {
  definitions,
  figure,
  list,
  page,
  paragraph,
  section,
  table,
  type TableRow,
} from './html.ts';
import { describeMethod } from './method.ts';
import { environment } from './metrics.ts';
import { sceneStrip } from './scene-strip.ts';
import type { GroupSpread, LossSummary, Summary } from './summary.ts';

export async function writeReport(directory: RunDirectory, summary: Summary): Promise<void> {
  const sections = [
    header(directory, summary.config),
    precisionTable(summary, 'apBudget'),
    figure(await precisionChart(summary), precisionCaption(summary.config)),
    section('How the figures were made', list(describeMethod(summary))),
    await trainingSection(summary),
    ...(await gammaSections(summary)),
    await sceneSection(summary),
    moreFigures(summary),
    section('Settings and environment', definitions(settings(directory, summary.config))),
  ];
  writeFileAtomically(directory.reportFile, page('Long-tailed detection', sections));
}

function header({ created }: RunDirectory, { seeds, classes }: ExperimentConfig): string {
  const plural = seeds.length > 1 ? 'seeds' : 'seed';
  return (
    '<h1>Long-tailed detection</h1>' +
    `<p class="lead">${classes} classes, ${plural} ${seeds.join(', ')}, run of ${created.slice(0, 10)}</p>`
  );
}

function precisionCaption({ classes, seeds }: ExperimentConfig): string {
  const whiskers =
    seeds.length > 1
      ? ` Bars are means, whiskers one standard deviation over ${seeds.length} seeds.`
      : '';
  return (
    `Average precision by frequency of the class, at most ${detectionCaps(classes).apBudget} ` +
    `detections per image.${whiskers}`
  );
}

function groupRow(title: string, figures: GroupSpread, digits = 1): TableRow {
  return { cells: [title, ...GROUPS_AND_ALL.map((g) => formatSpread(figures[g], false, digits))] };
}

function precisionTable({ losses, differences }: Summary, name: ApName): string {
  const head = ['average precision, %', ...GROUPS_AND_ALL];
  const rows = losses.map(({ loss, ap }) => groupRow(LOSS_TITLES[loss], ap[name]));
  const differenceRows = differences.map((difference) => ({
    cells: [
      differenceTitle(difference),
      ...GROUPS_AND_ALL.map((group) => formatSpread(difference.ap[name][group], true)),
    ],
    className: 'difference',
  }));
  return table(head, [...rows, ...differenceRows]);
}

async function trainingSection(summary: Summary): Promise<string> {
  const time = summary.losses
    .map(
      ({ loss, lossMilliseconds }) => `${LOSS_TITLES[loss]} ${lossMilliseconds.mean.toFixed(2)} ms`,
    )
    .join(', ');
  return section(
    'Training',
    figure(
      await lossChart(summary),
      'Training loss, divided by the number of objects in the batch, on logarithmic scales. Each ' +
        'panel has a scale of its own: the values of different losses cannot be compared. ' +
        `Median time of a loss per step: ${time}.`,
    ),
  );
}

/** How Equalized Focal Loss treated the classes, for the first seed. */
async function gammaSections({ reports, config }: Summary): Promise<string[]> {
  const report = reports.find(({ loss }) => loss === 'efl');
  if (!report) return [];
  const range = `from ${config.gamma} (as in Focal Loss, dashed) to ${config.gamma + config.scaleFactor}`;
  return [
    section(
      'What Equalized Focal Loss did',
      figure(
        await gammaByRankChart(report, config.gamma),
        `Focusing factor of every class at the end of training (seed ${report.seed}). It goes ${range}: ` +
          'the less positive gradient a class has received for its negative gradient, the higher.',
      ),
      figure(
        await gammaOverTimeChart(report, config.gamma),
        `The same during training (seed ${report.seed}): mean of each group, the band is the middle ` +
          '80 % of its classes.',
      ),
    ),
  ];
}

async function sceneSection(summary: Summary): Promise<string> {
  return section(
    'Test scenes',
    paragraph(
      'Scenes with a rare thing, and the five most certain detections of each loss ' +
        `(seed ${summary.config.seeds[0]}). Green: a hit; red: the wrong class or nothing labelled. ` +
        'Things without a frame in the first column are unlabelled clutter; the numbers there are ' +
        'training images.',
    ),
    await sceneStrip(summary),
  );
}

function moreFigures(summary: Summary): string {
  const rows = (pick: (loss: LossSummary) => GroupSpread, digits: number): TableRow[] =>
    summary.losses.map((loss) => groupRow(LOSS_TITLES[loss.loss], pick(loss), digits));
  return section(
    'More figures',
    paragraph('At most 100 detections per image:'),
    precisionTable(summary, 'ap100'),
    paragraph(
      'Without a cap. This leaves the ranking inside each class; how classes compete for a budget ' +
        'of detections no longer counts:',
    ),
    precisionTable(summary, 'apUncapped'),
    paragraph('At the cells of the objects, score of the right class:'),
    table(
      ['mean score', ...GROUPS_AND_ALL],
      rows((loss) => loss.trueClassScore, 2),
    ),
    paragraph('and objects for which the right class scores highest:'),
    table(
      ['share of the objects, %', ...GROUPS_AND_ALL],
      rows((loss) => loss.topOne, 1),
    ),
  );
}

function settings(
  { created }: RunDirectory,
  config: ExperimentConfig,
): (readonly [string, string])[] {
  const { cpu, cores, platform, node, backend, versions } = environment();
  const perLoss = (values: Record<string, number>): string =>
    config.losses.map((loss) => `${loss} ${values[loss]}`).join(', ');
  return [
    ['begun', created],
    ['epochs', `${config.epochs}, batches of ${config.batchSize} images`],
    ['learning rate', perLoss(config.learningRates)],
    ['prior', perLoss(config.priors)],
    ['momentum, weight decay', `${config.momentum}, ${config.weightDecay}`],
    ['gamma, alpha', `${config.gamma}, ${config.alpha}`],
    ['scale factor of EFL', String(config.scaleFactor)],
    ['machine', `${cpu}, ${cores} cores, ${platform}, Node.js ${node}`],
    ['loss backend', `${backend}; one thread for each training`],
    [
      'versions',
      Object.entries(versions)
        .map(([name, v]) => `${name} ${v}`)
        .join(', '),
    ],
  ];
}
