/** What one loss gains over another: under each cap, and by the number of training images. */
import { AP_NAMES, LOSS_TITLES, type ApName } from '../../config.ts';
import { groupOf } from '../../data/counts.ts';
import { GROUPS_AND_ALL } from '../../evaluation/groups.ts';
import { gainsByCap } from '../finding.ts';
import { capTitle, differenceTitle, enumerate, formatSpread, plural } from '../format.ts';
import type { Difference, Summary } from '../summary.ts';
import { paint } from '../theme.ts';
import {
  groupAxis,
  groupColour,
  groupShape,
  ruleAt,
  type Chart,
  type Row,
  type Spec,
} from './draw.ts';

/** A mark of the same colour for each cap: shape and place tell them apart. */
const CAP_SHAPES: Readonly<Record<ApName, string>> = {
  apBudget: 'circle',
  ap100: 'square',
  apUncapped: 'triangle-up',
};

export function gainByCapChart(summary: Summary, difference: Difference): Chart {
  const { config } = summary;
  const gains = gainsByCap(difference);
  const title = differenceTitle(difference);
  const described = gains.map(({ name, figures }) => {
    const values = GROUPS_AND_ALL.map((group) => `${group} ${formatSpread(figures[group], true)}`);
    return `${capTitle(name, config.classes)}: ${enumerate(values)}.`;
  });
  return {
    id: 'gain-by-cap',
    title: `${title} under three caps, after ${plural(config.epochs, 'epoch')}`,
    description: `Difference of average precision in points; ${described.join(' ')}`,
    rows: gains.flatMap(({ name, figures }) =>
      GROUPS_AND_ALL.map((group): Row => {
        const { mean, deviation = 0 } = figures[group];
        const cap = capTitle(name, config.classes);
        return { cap, group, gain: mean, low: mean - deviation, high: mean + deviation };
      }),
    ),
    spec: () => ({ height: 260, layer: capLayers(title, summary) }),
  };
}

function capLayers(title: string, { config }: Summary): Spec[] {
  const domain = AP_NAMES.map((name) => capTitle(name, config.classes));
  const place = { x: groupAxis, xOffset: { field: 'cap', sort: null, scale: { domain } } };
  const y = { field: 'gain', type: 'quantitative', title: `${title}, points of AP` };
  const shape = {
    field: 'cap',
    type: 'nominal',
    scale: { domain, range: AP_NAMES.map((name) => CAP_SHAPES[name]) },
    legend: {
      direction: 'vertical',
      columns: 1,
      symbolFillColor: paint('efl'),
      symbolStrokeColor: paint('efl'),
    },
  };
  return [
    ruleAt(0),
    {
      mark: { type: 'rule', strokeWidth: 2, color: paint('efl') },
      encoding: { ...place, y: { ...y, field: 'low' }, y2: { field: 'high' } },
    },
    {
      mark: { type: 'point', filled: true, size: 90, opacity: 1, color: paint('efl') },
      encoding: { ...place, y, shape },
    },
  ];
}

/** Classes with about as many training images, for the means. */
const BINS: readonly (readonly [number, number])[] = [
  [1, 2],
  [3, 5],
  [6, 10],
  [11, 30],
  [31, 100],
  [101, 220],
  [221, Infinity],
];

interface ClassGain {
  images: number;
  apBudget: number;
  apUncapped: number;
}

export function gainByCountChart(summary: Summary, difference: Difference): Chart {
  const { config } = summary;
  const gains = classGains(summary, difference);
  const bins = BINS.flatMap(([from, to]) => binRow(gains, from, to));
  const points = gains.map(({ images, apBudget }) => ({
    kind: 'class',
    images,
    gain: apBudget,
    group: groupOf(images),
  }));
  const described = bins.map(
    ({ first, last, apBudget, apUncapped }) =>
      `${first} to ${last} images: ${apBudget.toFixed(1)}, without a cap ${apUncapped.toFixed(1)}`,
  );
  return {
    id: 'gain-by-count',
    title: `${differenceTitle(difference)} by training images, after ${plural(config.epochs, 'epoch')}`,
    description:
      `${LOSS_TITLES[difference.loss]} against ${LOSS_TITLES[difference.baseline]}, mean difference ` +
      `of classes with about as many images: ${described.join('; ')}.`,
    rows: [...points, ...bins.map((bin) => ({ kind: 'bin', ...bin }))],
    spec: () => ({ height: 300, layer: countLayers(differenceTitle(difference)) }),
  };
}

/** Of every rank, the mean over seeds: ranks have the same number of images in each. */
function classGains({ reports, config }: Summary, { loss, baseline }: Difference): ClassGain[] {
  const of = (name: string) => reports.filter((report) => report.loss === name);
  const [own, other] = [of(loss), of(baseline)];
  return own[0].perClass.map(({ images }, rank) => {
    const gain = (name: ApName): number =>
      own.reduce(
        (sum, report, i) =>
          sum + 100 * (report.perClass[rank][name] - other[i].perClass[rank][name]),
        0,
      ) / config.seeds.length;
    return { images, apBudget: gain('apBudget'), apUncapped: gain('apUncapped') };
  });
}

interface BinRow {
  first: number;
  last: number;
  apBudget: number;
  apUncapped: number;
}

function binRow(gains: readonly ClassGain[], from: number, to: number): BinRow[] {
  const inside = gains.filter(({ images }) => images >= from && images <= to);
  if (inside.length === 0) return [];
  const mean = (name: 'apBudget' | 'apUncapped'): number =>
    inside.reduce((sum, gain) => sum + gain[name], 0) / inside.length;
  const images = inside.map((gain) => gain.images);
  return [
    {
      first: Math.min(...images),
      last: Math.max(...images),
      apBudget: mean('apBudget'),
      apUncapped: mean('apUncapped'),
    },
  ];
}

function countLayers(title: string): Spec[] {
  const x = {
    type: 'quantitative',
    title: 'training images of the class',
    scale: { type: 'log', domain: [0.8, 560], nice: false },
    axis: { values: [1, 3, 10, 30, 100, 300] },
  };
  const y = { type: 'quantitative', title: `${title}, points of AP` };
  const means = (field: string, kind: string): Spec => ({
    transform: [
      { filter: { field: 'kind', equal: 'bin' } },
      // A bin with one count still needs a width.
      { calculate: 'datum.first / 1.04', as: 'from' },
      { calculate: 'datum.last * 1.04', as: 'to' },
      { calculate: `'${kind}'`, as: 'mean' },
    ],
    mark: { type: 'rule', strokeWidth: 3, color: paint('ink'), strokeCap: 'butt' },
    encoding: {
      x: { ...x, field: 'from' },
      x2: { field: 'to' },
      y: { ...y, field },
      strokeDash: {
        field: 'mean',
        type: 'nominal',
        scale: { domain: MEANS, range: [SOLID, DASHED] },
        legend: { symbolType: 'stroke', symbolStrokeColor: paint('ink') },
      },
    },
  });
  return [
    ruleAt(0),
    {
      transform: [{ filter: { field: 'kind', equal: 'class' } }],
      mark: { type: 'point', filled: true, size: 40, opacity: 0.75 },
      encoding: {
        x: { ...x, field: 'images' },
        y: { ...y, field: 'gain' },
        color: groupColour,
        shape: groupShape,
      },
    },
    means('apBudget', MEANS[0]),
    means('apUncapped', MEANS[1]),
  ];
}

const MEANS = ['mean, capped', 'mean, no cap'];
const [SOLID, DASHED] = [
  [1, 0],
  [4, 3],
];
