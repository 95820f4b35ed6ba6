/** From a specification of Vega-Lite to a picture in the page, without a browser. */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

import { LOSS_TITLES, type LossName } from '../../config.ts';
import { GROUPS } from '../../data/counts.ts';
import { GROUPS_AND_ALL } from '../../evaluation/groups.ts';
import { escapeHtml } from '../html.ts';
import {
  GROUP_DASHES,
  GROUP_SHAPES,
  groupPaint,
  LOSS_DASHES,
  LOSS_SHAPES,
  lossPaint,
  paint,
  themeCss,
} from '../theme.ts';

export type Row = Record<string, unknown>;
export type Spec = Record<string, unknown>;

/** Each chart is drawn twice: on a phone a wide one would shrink until it cannot be read. */
export type Size = 'wide' | 'narrow';

export const WIDTHS: Readonly<Record<Size, number>> = { wide: 912, narrow: 340 };

export interface Chart {
  id: string;
  title: string;
  /** What there is to see, for those who do not see it. */
  description: string;
  rows: readonly Row[];
  spec: (size: Size) => Spec;
}

const CONFIG = {
  font: 'system-ui, "Segoe UI", Helvetica, Arial, sans-serif',
  background: 'transparent',
  view: { stroke: null },
  axis: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 500,
    labelColor: paint('muted'),
    titleColor: paint('ink'),
    gridColor: paint('grid'),
    domainColor: paint('line'),
    tickColor: paint('line'),
    labelFlush: false,
  },
  legend: {
    labelLimit: 0,
    labelFontSize: 12,
    labelColor: paint('ink'),
    symbolStrokeWidth: 2.5,
    symbolSize: 90,
    orient: 'top',
    title: null,
    columnPadding: 14,
  },
  title: {
    color: paint('ink'),
    fontSize: 13,
    fontWeight: 600,
    anchor: 'start',
    offset: 8,
    subtitleColor: paint('muted'),
  },
  text: { color: paint('ink'), fontSize: 11 },
} as const;

/** Two names beside each other, and two legends one below the other. */
const NARROW_LEGEND = {
  ...CONFIG.legend,
  columns: 2,
  layout: { top: { direction: 'vertical', anchor: 'start' } },
};

async function drawSize(
  { id, title, description, rows, spec }: Chart,
  size: Size,
): Promise<string> {
  const single = { width: WIDTHS[size], autosize: { type: 'fit', contains: 'padding' } };
  const config = size === 'wide' ? CONFIG : { ...CONFIG, legend: NARROW_LEGEND };
  const whole = { ...single, ...spec(size), padding: 4, data: { values: rows }, config };
  const view = new View(parse(compile(whole as unknown as TopLevelSpec).spec), {
    renderer: 'none',
  });
  const svg = await view.toSVG();
  view.finalize();
  const [titleId, descriptionId] = [`${id}-${size}-title`, `${id}-${size}-description`];
  const names =
    `<title id="${titleId}">${escapeHtml(title)}</title>` +
    `<desc id="${descriptionId}">${escapeHtml(description)}</desc>`;
  const attributes = `role="img" aria-labelledby="${titleId}" aria-describedby="${descriptionId}"`;
  // The roles of single marks, which nobody could make sense of one by one, make way for the whole.
  const plain = svg.replace(/ (?:role|aria-\w+)="[^"]*"/g, '');
  return plain.replace(/class="marks"([^>]*)>/, `class="chart" ${attributes}$1>${names}`);
}

/** Both sizes; the page shows the one that fits. */
export async function drawChart(chart: Chart): Promise<string> {
  const [wide, narrow] = await Promise.all([drawSize(chart, 'wide'), drawSize(chart, 'narrow')]);
  return `<div class="wide">${wide}</div><div class="narrow">${narrow}</div>`;
}

/** A file of its own, which brings its colours along. */
export async function drawAlone(chart: Chart): Promise<string> {
  return standAlone(await drawSize(chart, 'wide'));
}

/** `svg` is a chart of the page. */
export function standAlone(svg: string): string {
  const style = `<style>${themeCss('.chart')}</style><rect width="100%" height="100%" fill="${paint('page')}"/>`;
  return svg.replace('</desc>', `</desc>${style}`);
}

const ofLosses = (losses: readonly LossName[], range: unknown[]): Spec => ({
  field: 'loss',
  type: 'nominal',
  title: null,
  sort: null,
  scale: { domain: losses.map((loss) => LOSS_TITLES[loss]), range },
});

export const lossColour = (losses: readonly LossName[]): Spec =>
  ofLosses(losses, losses.map(lossPaint));

export const lossDash = (losses: readonly LossName[]): Spec =>
  ofLosses(
    losses,
    losses.map((loss) => LOSS_DASHES[loss]),
  );

export const lossShape = (losses: readonly LossName[]): Spec =>
  ofLosses(
    losses,
    losses.map((loss) => LOSS_SHAPES[loss]),
  );

const ofGroups = (range: unknown[]): Spec => ({
  field: 'group',
  type: 'nominal',
  title: null,
  sort: null,
  scale: { domain: [...GROUPS], range },
});

export const groupColour = ofGroups(GROUPS.map(groupPaint));
export const groupDash = ofGroups(GROUPS.map((group) => GROUP_DASHES[group]));
export const groupShape = ofGroups(GROUPS.map((group) => GROUP_SHAPES[group]));

/** The groups of classes beside each other, and all of them. */
export const groupAxis: Spec = {
  field: 'group',
  type: 'nominal',
  sort: [...GROUPS_AND_ALL],
  title: 'classes',
  axis: { labelAngle: 0, labelFontSize: 13, labelColor: paint('ink') },
};

/** A line at a value that needs no name beside it. */
export const ruleAt = (value: number): Spec => ({
  data: { values: [{}] },
  mark: { type: 'rule', strokeDash: [4, 4], color: paint('muted') },
  encoding: { y: { datum: value } },
});
