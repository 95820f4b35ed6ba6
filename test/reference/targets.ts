/** What a row of logits is to become: by its label, or by dense targets. */

// As constants: a look at a global is slow in the sandbox of the test runner.
const { fround } = Math;
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
  /** What the dense targets of positives are above, as a float32. */
  readonly positiveThreshold?: number | undefined;
  readonly labelSmoothing?: number | undefined;
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
  /** Whether it is the class of the row, or has a target above 0, whatever the threshold. */
  readonly isPositive: (column: number) => boolean;
  /** The share of |gradient| that counts as positive. */
  readonly share: (column: number) => number;
  /** Of a row with a label that names a class: its column. */
  readonly column?: number;
}

/** Whether an element counts; without one all do. */
export type IsKept = (row: number, column: number) => boolean;

/** The rows of a call. The class of a label has its row's quality as target, 1 without one. */
export function rowsOf(
  targets: Targets,
  options: TargetOptions,
  shareOf: (target: number) => number,
  quality?: ArrayLike<number>,
  isKept: IsKept = () => true,
  zeroIsNegative = false,
): TargetRow[] {
  if ('dense' in targets) {
    return denseRows(targets.dense, options, shareOf, isKept);
  }
  return Array.from(targets, (label, i) =>
    labelledRow(rowOf(label, options), options, quality?.[i] ?? 1, zeroIsNegative),
  );
}

/** The target of a class is drawn to 1 / C; objectness is none. */
function smoothed(y: number, column: number, options: TargetOptions): number {
  const { numClasses, labelSmoothing = 0 } = options;
  return column === numClasses ? y : (1 - labelSmoothing) * y + labelSmoothing / numClasses;
}

function labelledRow(
  row: Row,
  options: TargetOptions,
  quality: number,
  zeroIsNegative: boolean,
): TargetRow {
  const { numClasses } = options;
  // Without an objectness column there is no column of this number.
  const positive = typeof row === 'number' ? row : numClasses;
  const state = typeof row === 'number' ? 'foreground' : row;
  return {
    state,
    target: (column) => smoothed(column === positive ? quality : 0, column, options),
    isPositive: (column) => column === positive,
    share: (column) => (column === positive && !(zeroIsNegative && quality === 0) ? 1 : 0),
    ...(typeof row === 'number' && { column: row }),
  };
}

/** Objectness is no class: a positive there does not make a row foreground, nor does a masked one. */
function denseRows(
  targets: ArrayLike<number>,
  options: TargetOptions,
  shareOf: (target: number) => number,
  isKept: IsKept,
): TargetRow[] {
  const columns = columnsOf(options);
  return Array.from({ length: targets.length / columns }, (_, i) => {
    const given = (column: number): number => targets[i * columns + column]!;
    const counts = (column: number): boolean =>
      given(column) > fround(options.positiveThreshold ?? 0);
    const classes = Array.from({ length: options.numClasses }, (__, column) => column);
    return {
      state: classes.some((column) => counts(column) && isKept(i, column))
        ? 'foreground'
        : 'background',
      target: (column) => smoothed(given(column), column, options),
      isPositive: (column) => given(column) > 0,
      share: (column) => (counts(column) ? shareOf(given(column)) : 0),
    };
  });
}
