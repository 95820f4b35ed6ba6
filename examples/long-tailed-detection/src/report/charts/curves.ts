/** Curves: precision against recall of single classes, the loss and g_j while training. */
import { LOSS_TITLES, type LossName } from '../../config.ts';
import { GROUPS } from '../../data/counts.ts';
import { precisionCurve } from '../../evaluation/average-precision.ts';
import { displayName, enumerate, plural } from '../format.ts';
import type { ClassReport, LossReport, Summary } from '../summary.ts';
import {
  groupColour,
  groupDash,
  groupShape,
  lossColour,
  lossDash,
  ruleAt,
  WIDTHS,
  type Chart,
  type Row,
  type Size,
  type Spec,
} from './draw.ts';
import { lossPaint } from '../theme.ts';

const GAP = 60;

/** Panels side by side where there is room, one below the other where there is not. */
function panels(size: Size, specs: readonly Spec[]): Spec {
  const across = size === 'wide' ? specs.length : 1;
  const width = Math.floor(WIDTHS[size] / across) - GAP;
  // `width` of the whole is not a property of concatenated charts.
  return {
    width: undefined,
    autosize: undefined,
    [size === 'wide' ? 'hconcat' : 'vconcat']: specs.map((spec) => ({ ...spec, width })),
  };
}

/** `ranks` are the classes to show, by their place in `perClass`. */
export function recallChart(
  { config }: Summary,
  reports: readonly LossReport[],
  ranks: readonly number[],
): Chart {
  const rows = reports.flatMap((report) =>
    ranks.flatMap((rank) => curveRows(report.loss, rank, report.perClass[rank])),
  );
  const names = ranks.map((rank) => reports[0].perClass[rank]);
  const losses = reports.map(({ loss }) => loss);
  return {
    id: 'recall',
    title: `Precision against recall of rare classes, seed ${reports[0].seed}`,
    description: `After ${plural(config.epochs, 'epoch')}: ${enumerate(
      ranks.map((rank) => describeClass(reports, rank)),
    )}.`,
    rows,
    spec: (size) =>
      panels(
        size,
        names.map(({ name, images }, i) =>
          recallPanel(ranks[i], displayName(name), images, losses),
        ),
      ),
  };
}

function describeClass(reports: readonly LossReport[], rank: number): string {
  const figures = reports.map(
    ({ loss, perClass }) => `${LOSS_TITLES[loss]} ${(100 * perClass[rank].apBudget).toFixed(1)}`,
  );
  return `average precision of ${displayName(reports[0].perClass[rank].name)}: ${enumerate(figures)} %`;
}

/** From the first hit on; where nothing is found there is nothing to draw. */
function curveRows(loss: LossName, rank: number, { hits, objects }: ClassReport): Row[] {
  const curve = precisionCurve(hits, objects);
  const start = curve.slice(0, 1).map(({ precision }) => ({ recall: 0, precision }));
  return [...start, ...curve].map((point) => ({ loss: LOSS_TITLES[loss], rank, ...point }));
}

function recallPanel(
  rank: number,
  name: string,
  images: number,
  losses: readonly LossName[],
): Spec {
  const share = { scale: { domain: [0, 1] }, axis: { tickCount: 5, format: '.1~f' } };
  return {
    title: { text: `${name} (${plural(images, 'image')})` },
    height: 180,
    transform: [{ filter: { field: 'rank', equal: rank } }],
    mark: { type: 'line', interpolate: 'step-before', strokeWidth: 2, clip: true },
    encoding: {
      x: { field: 'recall', type: 'quantitative', title: 'recall', ...share },
      y: { field: 'precision', type: 'quantitative', title: 'precision', ...share },
      color: lossColour(losses),
      strokeDash: lossDash(losses),
    },
  };
}

/** Training loss; a panel of its own for each loss, because their scales have nothing in common. */
export function lossChart({ config, reports }: Summary): Chart {
  const rows = reports.flatMap(({ loss, seed, history }) =>
    history.curve.map((point) => ({ loss, seed, step: point.step, value: point.loss })),
  );
  const ends = reports.map(({ loss, seed, history }) => {
    const last = history.curve.at(-1)?.loss.toFixed(2) ?? 'nothing';
    return `${LOSS_TITLES[loss]}, seed ${seed}, ends at ${last}`;
  });
  const panel = (loss: LossName): Spec => ({
    title: { text: LOSS_TITLES[loss] },
    height: 170,
    transform: [{ filter: { field: 'loss', equal: loss } }],
    mark: { type: 'line', strokeWidth: 1.5, color: lossPaint(loss) },
    encoding: {
      x: { field: 'step', type: 'quantitative', title: 'training step', axis: { tickCount: 5 } },
      y: {
        field: 'value',
        type: 'quantitative',
        title: 'loss per object',
        scale: { type: 'log', nice: false },
      },
      detail: { field: 'seed' },
    },
  });
  return {
    id: 'loss',
    title: 'Training loss',
    description: `The loss per object while training; ${ends.join('; ')}.`,
    rows,
    spec: (size) => panels(size, config.losses.map(panel)),
  };
}

/** g_j over time: mean of each group, and its middle 80 % as a band. */
export function ratioOverTimeChart({ history, seed }: LossReport): Chart {
  const rows = history.curve.flatMap((point) =>
    GROUPS.map((group) => ({ step: point.step, group, ...point.gradientRatio?.[group] })),
  );
  const ends = GROUPS.map((group) => {
    const mean = history.curve.at(-1)?.gradientRatio?.[group].mean ?? Number.NaN;
    return `${group} ${mean.toFixed(2)}`;
  });
  const steps = history.curve.at(-1)?.step ?? 0;
  const x = {
    field: 'step',
    type: 'quantitative',
    title: 'training step',
    scale: { domain: [0, steps], nice: false },
    axis: { grid: false, tickCount: 7 },
  };
  const y = { type: 'quantitative', title: 'gradient ratio g', scale: { zero: false } };
  const color = { ...groupColour, legend: { symbolType: 'stroke', symbolOpacity: 1 } };
  const layer = [
    ruleAt(1),
    {
      mark: { type: 'area', opacity: 0.15 },
      encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
    },
    {
      mark: { type: 'line', strokeWidth: 2.2 },
      encoding: { x, y: { ...y, field: 'mean' }, color, strokeDash: groupDash },
    },
  ];
  return {
    id: 'ratio-over-time',
    title: `Gradient ratio g of each group while training, seed ${seed}`,
    description: `Mean of each group at the end: ${enumerate(ends)}.`,
    rows,
    spec: () => ({ height: 260, layer }),
  };
}

/** g_j at the end against the number of training images. */
export function ratioByCountChart({ perClass, seed }: LossReport): Chart {
  const rows = perClass.map(({ gradientRatio, group, images }) => ({
    ratio: gradientRatio,
    group,
    images,
  }));
  const points = {
    mark: { type: 'point', filled: true, size: 45, opacity: 0.85 },
    encoding: {
      x: {
        field: 'images',
        type: 'quantitative',
        title: 'training images of the class',
        scale: { type: 'log', domain: [0.8, 560], nice: false },
        axis: { values: [1, 3, 10, 30, 100, 300] },
      },
      y: {
        field: 'ratio',
        type: 'quantitative',
        title: 'gradient ratio g at the end',
        scale: { zero: false },
      },
      color: groupColour,
      shape: groupShape,
    },
  };
  const ratios = rows.map(({ ratio }) => ratio ?? 1);
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  return {
    id: 'ratio-by-count',
    title: `Gradient ratio g of every class at the end of training, seed ${seed}`,
    description: `One mark for each class; g goes from ${least.toFixed(2)} to ${most.toFixed(2)}.`,
    rows,
    spec: () => ({ height: 240, layer: [ruleAt(1), points] }),
  };
}
