import { types } from 'node:util';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Criterion } from '../../criteria/criterion';
import type { TfLossOptions } from './check-options';
import { hostTensor } from './check-tensors';
import { equalized } from './equalized';
import { computeTensor, valuesOf, type TensorValues } from './tensor-memory';

/**
 * One loss and its gradient. The gradient is computed when it is asked for, from logits and labels:
 * that is as fast as to keep one and to multiply it, takes no memory in between, and gives the
 * statistics of the true gradient, with what comes from upstream in it.
 */
export class LossCall {
  readonly #criterion: Criterion;
  readonly #options: TfLossOptions;
  /** g at the time of the loss. Other losses of the same criterion may move it before the gradient. */
  readonly #ratio: Float64Array | undefined;

  constructor(criterion: Criterion, options: TfLossOptions) {
    this.#criterion = criterion;
    this.#options = options;
    this.#ratio = equalized(criterion)?.gradientRatio;
  }

  loss(logits: Tensor, labels: Tensor): number {
    const [values, given] = valuesOf([logits, labels]);
    const { normalizer } = this.#options;
    return this.#criterion.forward(
      hostTensor(values!, logits.shape),
      labelsOf(given!, labels.shape),
      { normalizer },
    ).loss;
  }

  /** The gradient by the logits, times `upstream`. Its statistics enter the state. */
  gradient(logits: Tensor, labels: Tensor, upstream: number): Tensor {
    const { normalizer, collect } = this.#options;
    return computeTensor(logits.shape, [logits, labels], (output, [values, given]) => {
      this.#asOfLoss(() => {
        this.#criterion.forwardBackward(
          hostTensor(values!, logits.shape),
          labelsOf(given!, labels.shape),
          { normalizer, collect, gradOutput: upstream, grad: hostTensor(output, logits.shape) },
        );
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
