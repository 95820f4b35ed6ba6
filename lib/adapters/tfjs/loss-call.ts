import { types } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import type { Criterion } from '../../criteria/criterion';
import type { CheckedOptions } from './check-options';
import { hostTensor } from './check-tensors';
import { equalized } from './equalized';
import { checkRowFactors, rowFactors, rowScale, rowSums } from './rows';
import { computeTensor, valuesOf, type TensorValues } from './tensor-memory';

/**
 * One loss and its gradient. The gradient is computed when it is asked for, from logits and labels:
 * that is as fast as to keep one and to multiply it, takes no memory in between, and gives the
 * statistics of the true gradient, with what comes from upstream in it.
 */
export class LossCall {
  readonly #criterion: Criterion;
  readonly #options: CheckedOptions;
  /** g at the time of the loss. Other losses of the same criterion may move it before the gradient. */
  readonly #ratio: Float64Array | undefined;
  /** Factor on the losses of rows, from when they are computed. */
  #scale = 1;

  constructor(criterion: Criterion, options: CheckedOptions) {
    this.#criterion = criterion;
    this.#options = options;
    this.#ratio = equalized(criterion)?.gradientRatio;
  }

  /** A scalar, or one loss for each row. */
  loss(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor {
    const { normalizer, perSample } = this.#options;
    const [values, given] = valuesOf([logits, labels]);
    const rows = hostTensor(values!, logits.shape);
    const known = labelsOf(given!, labels.shape);
    if (!perSample) return tf.scalar(this.#criterion.forward(rows, known, { normalizer }).loss);
    const { elements, positives } = this.#criterion.forward(rows, known);
    const shape = logits.shape.slice(0, -1);
    const count = shape.reduce((product, size) => product * size, 1);
    this.#scale = rowScale(normalizer, count, positives);
    return tf.tensor(rowSums(elements!.data, count, this.#scale), shape);
  }

  /**
   * The gradient by the logits, with `factors`, the gradient by the loss, in it. Its statistics enter
   * the state.
   */
  gradient(logits: tf.Tensor, labels: tf.Tensor, factors: TensorValues): tf.Tensor {
    const { normalizer, perSample, collect } = this.#options;
    if (perSample) checkRowFactors(this.#criterion, factors, this.#scale);
    return computeTensor(logits.shape, [logits, labels], (output, [values, given]) => {
      const call = perSample
        ? rowFactors(factors, this.#scale, logits.shape)
        : { normalizer, gradOutput: factors[0]! };
      const grad = hostTensor(output, logits.shape);
      this.#asOfLoss(() => {
        const rows = hostTensor(values!, logits.shape);
        const known = labelsOf(given!, labels.shape);
        this.#criterion.forwardBackward(rows, known, { ...call, collect, grad });
      });
    });
  }

  /** Calls `compute` with the g of the loss. */
  #asOfLoss(compute: () => void): void {
    const criterion = equalized(this.#criterion);
    const ratio = this.#ratio;
    if (!criterion || !ratio || isSame(criterion.gradientRatio, ratio)) compute();
    else criterion.withRatio(ratio, compute);
  }
}

function labelsOf(values: TensorValues, shape: readonly number[]) {
  return types.isInt32Array(values) ? values : hostTensor(values, shape);
}

function isSame(left: Float64Array, right: Float64Array): boolean {
  return left.every((value, j) => value === right[j]);
}
