import type { ResolvedStatisticsOptions, StatisticsOptions } from './equalized-criterion';
import type { FocalLossOptions, ResolvedOptions } from './focal-loss';
import { FocusingCriterion } from './focusing-criterion';

/** Options of {@link EqualizedFocalLoss}. */
export interface EqualizedFocalLossOptions extends FocalLossOptions, StatisticsOptions {
  /** s in gamma_j = gamma_b + s (1 - g_j). Finite, >= 0. Default 8, as for RetinaNet-like detectors. */
  readonly scaleFactor?: number | undefined;
}

/** All options of an `EqualizedFocalLoss`, defaults filled in. */
export interface ResolvedEqualizedOptions extends ResolvedOptions, ResolvedStatisticsOptions {
  readonly scaleFactor: number;
}

/**
 * Equalized Focal Loss (Li et al., CVPR 2022, section 3.2):
 *
 *     L_j     = -(gamma_j / gamma_b) alpha_t (1 - p_t)^gamma_j log(p_t)
 *     gamma_j = gamma_b + s (1 - g_j)
 *     g_j     = clamp(sum of |gradient| over positives / sum over negatives, 0, 1)
 *
 * g_j says how balanced class j has been so far. Balanced classes (g = 1) get exactly Focal Loss;
 * rare ones get up to gamma_b + s of focus and (gamma_b + s) / gamma_b of weight.
 *
 * The sums are kept in float64, over all steps, and only decay with a `halfLife`. A call uses the g of the calls
 * before it and updates g after it, whole or not at all; the first call is Focal Loss, since g is 1
 * then. Gradients that count are those of the total loss by the logits: normalizer, `lossWeight`
 * and `gradOutput` are in them, `lossScale` is not. A call without a row that counts (none, or all
 * ignored) leaves the state as it is.
 *
 * Labels and dense targets mean what they mean to {@link FocalLoss}. The |gradient| of an element
 * with a dense target y counts y as a positive's and 1 - y as a negative's.
 *
 * ```ts
 * const criterion = new EqualizedFocalLoss({ numClasses: 1203 });
 * const { loss, grad } = criterion.forwardBackward(logits, labels, { normalizer: 'positives' });
 * ```
 */
export class EqualizedFocalLoss extends FocusingCriterion<ResolvedEqualizedOptions> {
  /**
   * @throws {@link EflArgumentError} for an option out of its range or unknown.
   * @throws {@link EflBackendUnavailableError} for a `device` that cannot be used here.
   * @throws {@link EflLoadError} where the native addon cannot be loaded.
   */
  constructor(options: EqualizedFocalLossOptions) {
    super('EqualizedFocalLoss', options);
  }
}
