import { choiceOption, isInt32, numberOption, reject } from '../validation';

export const layouts = ['rows', 'NHWC', 'NCHW'] as const;

/**
 * How the logits lie in memory. `'rows'`: rows x classes, class last. `'NHWC'`: images x height x
 * width x channels, and `'NCHW'`: images x channels x height x width, with A x C channels, the
 * logits of A anchors at each position. In place of height and width there may be any number of
 * dimensions: [B, C, D, H, W] is `'NCHW'`, and [B, L, C] is `'NHWC'`.
 */
export type Layout = (typeof layouts)[number];

export const channelOrders = ['anchor-major', 'class-major'] as const;

/**
 * Which channel is anchor a's logit of column c: a C + c with `'anchor-major'`, c A + a with
 * `'class-major'`.
 */
export type ChannelOrder = (typeof channelOrders)[number];

/** How the logits of a call lie in memory. */
export interface FormatOptions {
  /** Default `'rows'`. */
  readonly layout?: Layout | undefined;
  /** A, anchors at each position of `'NHWC'` and `'NCHW'`. Integer >= 1. Default 1. */
  readonly anchors?: number | undefined;
  /** Order of the channels of `'NHWC'` and `'NCHW'`. Default `'anchor-major'`. */
  readonly channelOrder?: ChannelOrder | undefined;
}

/** The same, checked. */
export interface Format {
  readonly layout: Layout;
  readonly anchors: number;
  readonly channelOrder: ChannelOrder;
}

export const formatNames = ['layout', 'anchors', 'channelOrder'] as const;

const rows: Format = Object.freeze({ layout: 'rows', anchors: 1, channelOrder: 'anchor-major' });

export function checkFormat(options: FormatOptions): Format {
  const layout = choiceOption('layout', options.layout, 'rows', layouts);
  if (layout === 'rows') return checkRows(options);
  return {
    layout,
    anchors: numberOption(
      'anchors',
      options.anchors,
      1,
      'an integer from 1 to 2147483647',
      (anchors) => isInt32(anchors) && anchors >= 1,
    ),
    channelOrder: choiceOption('channelOrder', options.channelOrder, 'anchor-major', channelOrders),
  };
}

/** Rows have no channels: options that say how those are ordered would be without effect. */
function checkRows({ anchors, channelOrder }: FormatOptions): Format {
  if (anchors !== undefined && anchors !== 1) reject('anchors', "1 with layout 'rows'", anchors);
  if (channelOrder !== undefined && channelOrder !== 'anchor-major') {
    reject('channelOrder', "'anchor-major' with layout 'rows'", channelOrder);
  }
  return rows;
}

/** How many columns a row of logits has, and how that is told. */
export interface RowWidth {
  /** C, or C + 1 with an objectness column. */
  readonly columns: number;
  readonly numClasses: number;
}

/** Where in a shape a layout has its channels; -1 is the last place. */
export function channelAxis(layout: Layout): number {
  return layout === 'NCHW' ? 1 : -1;
}

/** What the dimensions of an image are called. */
export function dimensionNames(count: number): readonly string[] {
  if (count <= 3) return ['D', 'H', 'W'].slice(3 - count);
  return Array.from({ length: count }, (_, axis) => `D${axis + 1}`);
}

/** The shape a level of this format has, with so many dimensions, for error messages. */
export function describeShape(
  { layout, anchors }: Format,
  width: RowWidth,
  dimensions: number,
): string {
  const { columns, numClasses } = width;
  if (layout === 'rows') return `${describeColumns(width)} as the last dimension`;
  const factors = `anchors ${anchors} x ${columns === numClasses ? `numClasses ${numClasses}` : `(numClasses ${numClasses} + 1)`}`;
  const channels = `${anchors * columns} channels (${factors})`;
  const sizes = dimensionNames(dimensions < 2 ? 2 : dimensions - 2);
  return (layout === 'NHWC' ? ['B', ...sizes, channels] : ['B', channels, ...sizes]).join(' x ');
}

export function describeColumns({ columns, numClasses }: RowWidth): string {
  return columns === numClasses ? `numClasses = ${columns}` : `numClasses + 1 = ${columns}`;
}
