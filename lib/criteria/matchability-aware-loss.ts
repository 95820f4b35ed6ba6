import { Criterion } from './criterion';
import type { CriterionOptions, ResolvedCriterionOptions } from './options';

/** Options of {@link MatchabilityAwareLoss}. */
export interface MatchabilityAwareLossOptions extends CriterionOptions {
  /** Power of the quality, and focusing parameter of negatives. Finite, > 0. Default 1.5. */
  readonly gamma?: number | undefined;
  /** Weight of negatives, DEIM's `mal_alpha`. Finite, >= 0. Default 1, which is none. */
  readonly alpha?: number | undefined;
}

/** All options of a `MatchabilityAwareLoss`, defaults filled in. */
export interface ResolvedMatchabilityOptions extends ResolvedCriterionOptions {
  readonly gamma: number;
  readonly alpha: number;
}

/**
 * Matchability-Aware Loss, MAL (Huang et al., DEIM, CVPR 2025): as {@link VarifocalLoss}, but matches
 * of low quality q keep their weight.
 *
 *     L = BCE(x, q^gamma)                       at the row's class
 *     L = alpha sigmoid(x)^gamma softplus(x)    at the others
 *
 * sigmoid(x)^gamma is a constant to the gradient. Qualities come as for VarifocalLoss; a quality of 0
 * leaves the class a positive, with target 0. DEIM divides by the number of boxes.
 *
 * ```ts
 * const criterion = new MatchabilityAwareLoss({ numClasses: 80 });
 * const { loss, grad } = criterion.forwardBackward(logits, labels, { quality: overlaps });
 * ```
 */
export class MatchabilityAwareLoss extends Criterion<ResolvedMatchabilityOptions> {
  /**
   * @throws {@link EflArgumentError} for an option out of its range or unknown.
   * @throws {@link EflBackendUnavailableError} for a `device` that cannot be used here.
   * @throws {@link EflLoadError} where the native addon cannot be loaded.
   */
  constructor(options: MatchabilityAwareLossOptions) {
    super('MatchabilityAwareLoss', options);
  }
}
