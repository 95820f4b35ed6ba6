import { backends, EqualizedFocalLoss } from '../..';
import type { Workload } from '../workload';
import { alpha, baseGamma, scaleFactor, type Contender } from './contender';

/** This package, as `EFL_NUM_THREADS` and `EFL_CPU_ISA` have it. */
export const ours: Contender = {
  name: `this package (${backends()[0]!.detail})`,

  prepare({ classes, logits, labels, gamma }: Workload) {
    const criterion = new EqualizedFocalLoss({
      numClasses: classes,
      gamma: baseGamma,
      alpha,
      scaleFactor,
    });
    // g from gamma_j = gamma_b + s (1 - g_j); with sums of 0 the first step's sums are its own.
    const zeros = new Float64Array(classes);
    const state = {
      pos_grad: zeros,
      neg_grad: zeros,
      pos_neg: gamma.map((value) => 1 - (value - baseGamma) / scaleFactor),
    };
    const gradient = new Float32Array(logits.length);
    return () => {
      criterion.loadStateDict(state); // every round solves the same problem
      const { loss } = criterion.forwardBackward(logits, labels, { grad: gradient });
      const { positive, negative } = criterion.statistics;
      return { loss, gradient, positive, negative };
    };
  },
};
