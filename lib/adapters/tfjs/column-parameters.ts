import * as tf from '@tensorflow/tfjs-core';
import type { Criterion } from '../../criteria/criterion';
import { EqualizationLossV2 } from '../../criteria/equalization-loss-v2';
import { FocusingCriterion } from '../../criteria/focusing-criterion';
import { weightsOf } from '../../criteria/loss-definition';
import { columnsOf } from './check-tensors';
import { composesQuality } from './composable';

/** What the elements of each column are computed with, as the state is now. One value a column. */
export interface ColumnValues {
  readonly columns: number;
  /** The loss is one of soft qualities. */
  readonly isQuality: boolean;
  readonly gamma: Float32Array;
  readonly positive: Float32Array;
  readonly negative: Float32Array;
  /** Weights of negatives in rows with a class, if they differ there. */
  readonly foregroundNegative: Float32Array | undefined;
  /** There, negatives with a lower logit weigh nothing. */
  readonly foregroundThreshold: number | undefined;
}

/** The same with tensors of 1 x columns. */
export interface ColumnParameters extends Pick<
  ColumnValues,
  'columns' | 'isQuality' | 'foregroundThreshold'
> {
  readonly gamma: tf.Tensor;
  readonly positive: tf.Tensor;
  readonly negative: tf.Tensor;
  readonly foregroundNegative: tf.Tensor | undefined;
}

export function columnValues(criterion: Criterion): ColumnValues {
  const { definition, options } = criterion;
  const { positiveWeight, negativeWeight, foregroundWeight } = weightsOf(options, definition);
  const { gamma, positiveFactor, negativeFactor } = factorsOf(criterion);
  const columns = columnsOf(criterion);
  // A column of objectness weighs 1 and has no focus.
  const row = (fill: number, value: (column: number) => number): Float32Array => {
    const values = new Float32Array(columns).fill(fill);
    for (let column = 0; column < options.numClasses; column++) values[column] = value(column);
    return values;
  };
  return {
    columns,
    isQuality: composesQuality(criterion, tf.getBackend()),
    gamma: row(0, gamma),
    positive: row(1, (column) => positiveWeight[column]! * positiveFactor(column)),
    negative: row(1, (column) => negativeWeight[column]! * negativeFactor(column)),
    foregroundNegative: foregroundWeight && row(1, (column) => foregroundWeight[column]!),
    foregroundThreshold: definition.foregroundThreshold,
  };
}

export function columnParameters(values: ColumnValues): ColumnParameters {
  const row = (array: Float32Array): tf.Tensor => tf.tensor(array, [1, values.columns]);
  const { foregroundNegative } = values;
  return {
    ...values,
    gamma: row(values.gamma),
    positive: row(values.positive),
    negative: row(values.negative),
    foregroundNegative: foregroundNegative && row(foregroundNegative),
  };
}

type OfColumn = (column: number) => number;

/** What the statistics make of gamma and of the weights. */
function factorsOf(
  criterion: Criterion,
): Record<'gamma' | 'positiveFactor' | 'negativeFactor', OfColumn> {
  const always =
    (value: number): OfColumn =>
    () =>
      value;
  const each =
    (values: Float64Array): OfColumn =>
    (column) =>
      values[column]!;
  const gamma = always(criterion.definition.gamma ?? 0);
  if (criterion instanceof FocusingCriterion) {
    const weight = each(criterion.weightingFactor);
    const focus = each(criterion.focusingFactor);
    return { gamma: focus, positiveFactor: weight, negativeFactor: weight };
  }
  if (criterion instanceof EqualizationLossV2) {
    const positiveFactor = each(criterion.positiveWeight);
    return { gamma, positiveFactor, negativeFactor: each(criterion.negativeWeight) };
  }
  return { gamma, positiveFactor: always(1), negativeFactor: always(1) };
}
