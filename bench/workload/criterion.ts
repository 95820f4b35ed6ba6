import { EqualizedFocalLoss, type Device, type LoadableState } from '../..';
import { alpha, baseGamma, scaleFactor, type Problem } from './workload';

/** The criterion that solves the problems, in the state of a training's start. */
export function newCriterion(numClasses: number, device?: Device): EqualizedFocalLoss {
  return new EqualizedFocalLoss({ numClasses, gamma: baseGamma, alpha, scaleFactor, device });
}

/** States of an EqualizedFocalLoss that stand for the gammas of a problem. */
export interface States {
  /** Sums of 0, in which a call's own can be seen. */
  readonly fresh: LoadableState;
  /** Sums so large that a call's own vanish in them: every call solves the same problem. */
  readonly steady: LoadableState;
}

export function statesOf({ classes, gamma }: Pick<Problem, 'classes' | 'gamma'>): States {
  // g from gamma_j = gamma_b + s (1 - g_j)
  const pos_neg = gamma.map((value) => 1 - (value - baseGamma) / scaleFactor);
  const zeros = new Float64Array(classes);
  const neg_grad = new Float64Array(classes).fill(1e30);
  return {
    fresh: { pos_grad: zeros, neg_grad: zeros, pos_neg },
    steady: { pos_grad: pos_neg.map((ratio) => ratio * 1e30), neg_grad, pos_neg },
  };
}
