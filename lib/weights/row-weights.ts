import { countsOf, type ClassCounts } from '../tensors/class-values';
import {
  conventionAlone,
  labelsAlone,
  rowKind,
  type Background,
  type HostLabelValues,
  type LabelConvention,
} from '../tensors/labels';
import { levelName, mapLevels } from '../tensors/levels';
import { newFloat32Array } from '../tensors/new-arrays';
import { knownOptions, numberOption } from '../validation';

/** Options of {@link weightsByLabel}. */
export interface WeightsByLabelOptions {
  /** What the label of background is, as in the criterion. Default `'first'`. */
  readonly background?: Background | undefined;
  /** Labels of rows that count for nothing, as in the criterion. Default -1. */
  readonly ignoreIndex?: number | readonly number[] | undefined;
  /** Weight of rows of background. Finite in float32, >= 0. Default 1. */
  readonly backgroundWeight?: number | undefined;
}

const expected = 'a number from 0 to 3.4e38';
const isWeight = (value: number): boolean => value >= 0 && Math.fround(value) < Infinity;

/**
 * A weight for each row, that of the class its label names: for losses that weigh a row as a whole, as
 * Class-Balanced Loss and the weighted cross-entropy of other libraries do. `classWeight` of a criterion
 * weighs columns: there a row's negatives have weights of their own classes.
 *
 * `labels` are those of a call, in any form, on the host; a list of levels gives a list.
 * `classWeights` are C numbers >= 0, for example from {@link effectiveNumberWeights}. Rows of
 * background weigh `backgroundWeight`, ignored rows 0.
 *
 * ```ts
 * const weights = effectiveNumberWeights([1000, 100, 10], { beta: 0.999 });
 * const rows = weightsByLabel(labels, weights);
 * ```
 *
 * @returns float32, one weight a row.
 * @throws {@link EflArgumentError} for an option, a weight or a label out of its range.
 */
export function weightsByLabel(
  labels: HostLabelValues,
  classWeights: ClassCounts,
  options?: WeightsByLabelOptions,
): Float32Array;
export function weightsByLabel(
  labels: readonly HostLabelValues[],
  classWeights: ClassCounts,
  options?: WeightsByLabelOptions,
): Float32Array[];
export function weightsByLabel(
  labels: HostLabelValues | readonly HostLabelValues[],
  classWeights: ClassCounts,
  options?: WeightsByLabelOptions,
): Float32Array | Float32Array[] {
  const names = ['background', 'ignoreIndex', 'backgroundWeight'];
  const { backgroundWeight, ...given } = knownOptions('options', options, names);
  const weights = countsOf('classWeights', classWeights, expected, isWeight);
  const convention = conventionAlone(given, weights.length);
  const ofBackground = numberOption('backgroundWeight', backgroundWeight, 1, expected, isWeight);
  const levels = labelsAlone(labels);
  return mapLevels(levels, (values, level) =>
    weigh(levelName('labels', levels, level), values, { weights, ofBackground, convention }),
  ) as Float32Array | Float32Array[];
}

interface RowWeights {
  readonly weights: Float64Array;
  readonly ofBackground: number;
  readonly convention: LabelConvention;
}

function weigh(
  argument: string,
  labels: Int32Array,
  { weights, ofBackground, convention }: RowWeights,
): Float32Array {
  const rows = newFloat32Array(labels.length);
  labels.forEach((label, row) => {
    const kind = rowKind(`${argument}[${row}]`, label, convention, weights.length);
    const ofRow = kind === 'class' ? weights[label - convention.firstClass]! : ofBackground;
    rows[row] = kind === 'ignored' ? 0 : ofRow;
  });
  return rows;
}
