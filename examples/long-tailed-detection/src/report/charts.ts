/** The figures of the report, drawn by Vega-Lite without a browser. */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

import { LOSS_TITLES, type LossName } from '../config.ts';
import { GROUPS } from '../data/counts.ts';
import { GROUPS_AND_ALL } from '../evaluation/groups.ts';
import type { LossReport, Summary } from './summary.ts';

export const LOSS_COLOURS: Readonly<Record<LossName, string>> = {
  ce: '#9aa5b1',
  fl: '#4c78a8',
  efl: '#e4572e',
};

const GROUP_COLOURS = { rare: '#b5179e', common: '#f4a261', frequent: '#2a9d8f' };

const FONT = 'system-ui, "Segoe UI", Helvetica, Arial, sans-serif';
const CONFIG = {
  font: FONT,
  background: 'white',
  view: { stroke: null },
  axis: { labelFontSize: 12, titleFontSize: 12, titleFontWeight: 500, gridColor: '#e6e8eb' },
  legend: { labelLimit: 300, labelFontSize: 12, titleFontSize: 12, symbolStrokeWidth: 3 },
  header: { labelFontSize: 12, titleFontSize: 12 },
} as const;

type Rows = Record<string, unknown>[];
type UnitSpec = Record<string, unknown>;

async function draw(spec: UnitSpec, values: Rows): Promise<string> {
  const { spec: vegaSpec } = compile({ ...spec, data: { values }, config: CONFIG } as TopLevelSpec);
  const view = new View(parse(vegaSpec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

const lossTitles = (losses: readonly LossName[]): string[] =>
  losses.map((loss) => LOSS_TITLES[loss]);

const lossColour = (losses: readonly LossName[]): UnitSpec => ({
  field: 'loss',
  type: 'nominal',
  title: null,
  sort: null,
  scale: {
    domain: lossTitles(losses),
    range: losses.map((loss) => LOSS_COLOURS[loss]),
  },
  legend: { orient: 'top' },
});

const groupColour: UnitSpec = {
  field: 'group',
  type: 'nominal',
  title: null,
  scale: { domain: [...GROUPS], range: GROUPS.map((group) => GROUP_COLOURS[group]) },
  legend: { orient: 'top' },
};

/** Bars per group and loss; whiskers for the spread over seeds. */
export function precisionChart({ config, losses }: Summary): Promise<string> {
  const rows = losses.flatMap(({ loss, ap }) =>
    GROUPS_AND_ALL.map((group) => {
      const { mean, deviation } = ap.apBudget[group];
      const spread = { low: Math.max(0, mean - (deviation ?? 0)), high: mean + (deviation ?? 0) };
      return { loss: LOSS_TITLES[loss], group, ap: mean, text: mean.toFixed(1), ...spread };
    }),
  );
  const x = {
    field: 'group',
    type: 'nominal',
    sort: [...GROUPS_AND_ALL],
    title: 'classes',
    axis: { labelAngle: 0, labelFontSize: 13 },
  };
  const xOffset = { field: 'loss', sort: null };
  const y = { field: 'ap', type: 'quantitative', title: 'average precision (%)' };
  const whiskers = {
    mark: { type: 'rule', strokeWidth: 1.5, color: '#333' },
    encoding: { x, xOffset, y: { ...y, field: 'low' }, y2: { field: 'high' } },
  };
  // Figures stand clear of the whiskers.
  const figures = {
    mark: { type: 'text', dy: -8, fontSize: 11 },
    encoding: { x, xOffset, y: { ...y, field: 'high' }, text: { field: 'text' } },
  };
  const bars = { mark: 'bar', encoding: { x, xOffset, y, color: lossColour(config.losses) } };
  const layer = config.seeds.length > 1 ? [bars, whiskers, figures] : [bars, figures];
  return draw({ width: 620, height: 280, layer }, rows);
}

/** Training loss; a panel of its own for each loss, because their scales have nothing in common. */
export function lossChart({ config, reports }: Summary): Promise<string> {
  const rows = reports.flatMap(({ loss, seed, history }) =>
    history.curve.map((point) => ({ loss, seed, step: point.step, value: point.loss })),
  );
  const panels = config.losses.map((loss) => ({
    title: { text: LOSS_TITLES[loss], fontSize: 12, fontWeight: 500 },
    width: 620 / config.losses.length - 30,
    height: 190,
    transform: [{ filter: { field: 'loss', equal: loss } }],
    mark: { type: 'line', strokeWidth: 1.5, color: LOSS_COLOURS[loss] },
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
  }));
  return draw({ hconcat: panels }, rows);
}

/** gamma_j at the end of training against the rank of the class. */
export function gammaByRankChart(report: LossReport, gamma: number): Promise<string> {
  const rows = report.perClass.map(({ focusingFactor, group, images, name }, rank) => ({
    rank: rank + 1,
    gamma: focusingFactor,
    group,
    images,
    name,
  }));
  const points = {
    mark: { type: 'point', filled: true, size: 45, opacity: 0.85 },
    encoding: {
      x: {
        field: 'rank',
        type: 'quantitative',
        title: 'rank of the class (1 = most training images)',
        scale: { domain: [0, rows.length + 1], nice: false },
      },
      y: {
        field: 'gamma',
        type: 'quantitative',
        title: 'focusing factor γⱼ at the end',
        scale: { zero: false },
      },
      color: groupColour,
    },
  };
  return draw({ width: 620, height: 240, layer: [baseGamma(gamma), points] }, rows);
}

/** gamma_j over time: mean of each group, and its middle 80 % as a band. */
export function gammaOverTimeChart(report: LossReport, gamma: number): Promise<string> {
  const rows = report.history.curve.flatMap((point) =>
    GROUPS.map((group) => ({ step: point.step, group, ...point.gamma?.[group] })),
  );
  const x = { field: 'step', type: 'quantitative', title: 'training step' };
  const y = { type: 'quantitative', title: 'focusing factor γⱼ', scale: { zero: false } };
  const band = {
    mark: { type: 'area', opacity: 0.18 },
    encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color: groupColour },
  };
  const mean = {
    mark: { type: 'line', strokeWidth: 2 },
    encoding: { x, y: { ...y, field: 'mean' }, color: groupColour },
  };
  return draw({ width: 620, height: 240, layer: [baseGamma(gamma), band, mean] }, rows);
}

/** The gamma of Focal Loss, which balanced classes keep. */
const baseGamma = (gamma: number): UnitSpec => ({
  mark: { type: 'rule', strokeDash: [4, 4], color: '#666' },
  encoding: { y: { datum: gamma } },
});
