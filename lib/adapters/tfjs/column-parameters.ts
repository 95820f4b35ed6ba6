import * as tf from '@tensorflow/tfjs-core';
import type { ColumnValues, Criterion } from '../../criteria/criterion';
import { composesQuality } from './composable';

/** What the elements of each column are computed with, as the state was: tensors of 1 x columns. */
export interface ColumnParameters {
  readonly columns: number;
  /** The loss is one of soft qualities. */
  readonly isQuality: boolean;
  readonly gamma: tf.Tensor;
  readonly positive: tf.Tensor;
  readonly negative: tf.Tensor;
  /** Weights of negatives in rows with a class, if they differ there. */
  readonly foregroundNegative: tf.Tensor | undefined;
  /** There, negatives with a lower logit weigh nothing. */
  readonly foregroundThreshold: number | undefined;
}

/** The parameters as the state is now, from which tensors are made whenever they are needed. */
export class ColumnParameterSource {
  readonly columns: number;
  readonly isQuality: boolean;
  readonly #values: ColumnValues;

  constructor(criterion: Criterion) {
    this.columns = criterion.definition.columns;
    this.isQuality = composesQuality(criterion, tf.getBackend());
    this.#values = criterion.readParameters();
  }

  tensors(): ColumnParameters {
    const { columns, isQuality } = this;
    const { gamma, positive, negative, foreground, foregroundThreshold } = this.#values;
    const row = (values: Float32Array): tf.Tensor => tf.tensor(values, [1, columns]);
    return {
      columns,
      isQuality,
      gamma: row(gamma),
      positive: row(positive),
      negative: row(negative),
      foregroundNegative: foregroundThreshold === undefined ? undefined : row(foreground),
      foregroundThreshold: foregroundThreshold === -Infinity ? undefined : foregroundThreshold,
    };
  }
}
