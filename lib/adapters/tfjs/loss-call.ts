import { types } from 'node:util';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Criterion } from '../../criteria/criterion';
import type { EqualizedCriterion } from '../../criteria/equalized-criterion';
import { hostTensor } from './check-tensors';
import { equalized } from './equalized';
import { computeTensor, valuesOf, type TensorValues } from './tensor-memory';

/** Options of `tfLoss`. */
export interface TfLossOptions {
  /**
   * What the sum of the elements is divided by: a number > 0, or `'positives'` for max(1, rows with a
   * class in this batch). Only with reduction `'sum'`. Default 1.
   */
  readonly normalizer?: number | 'positives' | undefined;
  /** Whether the statistics of gradients enter the state of an equalized criterion. Default true. */
  readonly collect?: boolean | undefined;
}

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
      this.#asOfLoss((criterion) => {
        criterion.forwardBackward(
          hostTensor(values!, logits.shape),
          labelsOf(given!, labels.shape),
          { normalizer, collect, gradOutput: upstream, grad: hostTensor(output, logits.shape) },
        );
      });
    });
  }

  /** Calls `compute` with a criterion that has the g of the loss; its statistics become ours. */
  #asOfLoss(compute: (criterion: Criterion) => void): void {
    const criterion = equalized(this.#criterion);
    if (!criterion || !this.#ratio || isAt(criterion, this.#ratio)) {
      compute(this.#criterion);
      return;
    }
    const earlier = criterionAt(criterion, this.#ratio);
    compute(earlier);
    criterion.mergeStatistics(earlier);
    earlier.dispose();
  }
}

function labelsOf(values: TensorValues, shape: readonly number[]) {
  return types.isInt32Array(values) ? values : hostTensor(values, shape);
}

function isAt({ gradientRatio }: EqualizedCriterion, ratio: Float64Array): boolean {
  return gradientRatio.every((value, j) => value === ratio[j]);
}

/** A criterion of the same kind with this g, which has seen nothing yet. */
function criterionAt(criterion: EqualizedCriterion, ratio: Float64Array): EqualizedCriterion {
  const { constructor, options } = criterion;
  const copy = new (constructor as new (given: object) => EqualizedCriterion)(options);
  const zeros = new Float64Array(ratio.length);
  copy.loadStateDict({ pos_grad: zeros, neg_grad: zeros, pos_neg: ratio });
  return copy;
}
