import {
  EqualizedCriterion,
  type ResolvedStatisticsOptions,
  type StatisticsOptions,
} from './equalized-criterion';

/** Options of {@link EqualizationLossV2}. */
export interface EqualizationLossV2Options extends StatisticsOptions {
  /** How fast f rises, the paper's gamma. Finite, > 0. Default 12. */
  readonly mapSteepness?: number | undefined;
  /** The ratio at which f is 1/2, the paper's mu. Finite. Default 0.8. */
  readonly mapMidpoint?: number | undefined;
  /** By how much the positives of rare classes are raised, the paper's alpha. Finite, >= 0. Default 4. */
  readonly positiveGain?: number | undefined;
  /**
   * Whether rows have one more logit, the last, which is positive in background rows and negative in
   * rows with a class. It weighs 1 and stays out of the statistics. Default false.
   */
  readonly objectness?: boolean | undefined;
}

/** All options of an `EqualizationLossV2`, defaults filled in. */
export interface ResolvedEqualizationV2Options extends ResolvedStatisticsOptions {
  readonly mapSteepness: number;
  readonly mapMidpoint: number;
  readonly positiveGain: number;
  readonly objectness: boolean;
}

/**
 * Equalization Loss v2 (Tan et al., CVPR 2021, section 3.3): binary cross-entropy that weighs each
 * class by the gradients it has seen as a positive and as a negative.
 *
 *     L_j  = f(r_j) softplus(x)                            at negatives
 *     L_j  = (1 + gain (1 - f(r_j))) softplus(-x)          at positives
 *     f(r) = 1 / (1 + exp(-steepness (r - midpoint)))
 *     r_j  = sum of |gradient| over positives / sum over negatives
 *
 * r is not clamped and starts at 100, where all weights are 1. State and calls are those of
 * {@link EqualizedFocalLoss}; the gradients that count have the normalizer in them, where the
 * official code takes them before it: the ratio is the same as long as the normalizer is.
 *
 * The official loss divides the sum by the number of rows: `normalizer: rows`. Rows are numClasses
 * logits, one more with `objectness`; dense targets then have one more, too.
 *
 * ```ts
 * const criterion = new EqualizationLossV2({ numClasses: 1203, background: 'last' });
 * const { loss, grad } = criterion.forwardBackward(logits, labels, { normalizer: labels.length });
 * ```
 */
export class EqualizationLossV2 extends EqualizedCriterion<ResolvedEqualizationV2Options> {
  /**
   * @throws {@link EflArgumentError} for an option out of its range or unknown.
   * @throws {@link EflBackendUnavailableError} for a `device` that cannot be used here.
   * @throws {@link EflLoadError} where the native addon cannot be loaded.
   */
  constructor(options: EqualizationLossV2Options) {
    super('EqualizationLossV2', options);
  }

  /** f(r_j), the weight of each class's negatives. A copy. */
  get negativeWeight(): Float64Array {
    return this.readFactors().first;
  }

  /** 1 + gain (1 - f(r_j)), the weight of each class's positives. A copy. */
  get positiveWeight(): Float64Array {
    return this.readFactors().second;
  }
}
