/** What a row of logits is to become: by its label, or by dense targets. */

// As constants: a look at a global is slow in the sandbox of the test runner.
const { isInteger } = Number;

export type Background = 'first' | 'last' | 'none';

export interface LabelOptions {
  readonly numClasses: number;
  readonly background?: Background | undefined;
  readonly ignoreIndex?: number | readonly number[] | undefined;
}

export interface TargetOptions extends LabelOptions {
  /** One more column, the last: background rows are its positives. */
  readonly objectness?: boolean | undefined;
}

type Row = 'ignored' | 'background' | number;

/** What a label means: the column of its class, background or ignored. Others are an error. */
export function rowOf(label: number, options: LabelOptions): Row {
  const { numClasses, background = 'first', ignoreIndex = -1 } = options;
  const ignored = typeof ignoreIndex === 'number' ? [ignoreIndex] : ignoreIndex;
  if (ignored.includes(label)) {
    return 'ignored';
  }
  const backgroundLabel = { first: 0, last: numClasses, none: undefined }[background];
  if (label === backgroundLabel) {
    return 'background';
  }
  const column = background === 'first' ? label - 1 : label;
  if (!isInteger(column) || column < 0 || column >= numClasses) {
    throw new RangeError(`label ${label} is neither a class, background nor ignored`);
  }
  return column;
}

export function columnsOf({ numClasses, objectness = false }: TargetOptions): number {
  return numClasses + (objectness ? 1 : 0);
}

/** Targets in [0, 1] for each element, in place of labels. */
export interface Dense {
  readonly dense: ArrayLike<number>;
}

export type Targets = ArrayLike<number> | Dense;

export interface TargetRow {
  readonly state: 'foreground' | 'background' | 'ignored';
  readonly target: (column: number) => number;
  /** Whether it is the class of the row, or has a target above 0. */
  readonly isPositive: (column: number) => boolean;
  /** The share of |gradient| that counts as positive. */
  readonly share: (column: number) => number;
}

/** The rows of a call. The class of a label has its row's quality as target, 1 without one. */
export function rowsOf(
  targets: Targets,
  options: TargetOptions,
  shareOf: (target: number) => number,
  quality?: ArrayLike<number>,
  zeroIsNegative = false,
): TargetRow[] {
  if ('dense' in targets) {
    return denseRows(targets.dense, options, shareOf);
  }
  return Array.from(targets, (label, i) =>
    labelledRow(rowOf(label, options), options.numClasses, quality?.[i] ?? 1, zeroIsNegative),
  );
}

function labelledRow(
  row: Row,
  numClasses: number,
  quality: number,
  zeroIsNegative: boolean,
): TargetRow {
  // Without an objectness column there is no column of this number.
  const positive = typeof row === 'number' ? row : numClasses;
  const state = typeof row === 'number' ? 'foreground' : row;
  return {
    state,
    target: (column) => (column === positive ? quality : 0),
    isPositive: (column) => column === positive,
    share: (column) => (column === positive && !(zeroIsNegative && quality === 0) ? 1 : 0),
  };
}

/** Objectness is no class: a positive there does not make a row foreground. */
function denseRows(
  targets: ArrayLike<number>,
  options: TargetOptions,
  shareOf: (target: number) => number,
): TargetRow[] {
  const columns = columnsOf(options);
  return Array.from({ length: targets.length / columns }, (_, i) => {
    const target = (column: number): number => targets[i * columns + column]!;
    const classes = Array.from({ length: options.numClasses }, (__, column) => target(column));
    const state = classes.some((y) => y > 0) ? 'foreground' : 'background';
    return {
      state,
      target,
      isPositive: (column) => target(column) > 0,
      share: (column) => shareOf(target(column)),
    };
  });
}
