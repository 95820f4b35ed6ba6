import type { ResolvedStatisticsOptions, StatisticsOptions } from './equalized-criterion';
import { FocusingCriterion } from './focusing-criterion';
import type { ResolvedVarifocalOptions, VarifocalLossOptions } from './varifocal-loss';

/** Options of {@link EqualizedVarifocalLoss}. */
export interface EqualizedVarifocalLossOptions extends VarifocalLossOptions, StatisticsOptions {
  /** s in gamma_j = gamma_b + s (1 - g_j). Finite, >= 0. Default 8. */
  readonly scaleFactor?: number | undefined;
}

/** All options of an `EqualizedVarifocalLoss`, defaults filled in. */
export interface ResolvedEqualizedVarifocalOptions
  extends ResolvedVarifocalOptions, ResolvedStatisticsOptions {
  readonly scaleFactor: number;
}

/**
 * {@link VarifocalLoss} with the focusing factor gamma_j and the weight gamma_j / gamma_b of
 * {@link EqualizedFocalLoss}, and its statistics. It is this package's own: no paper has it.
 *
 *     L_j = (gamma_j / gamma_b) q BCE(x, q)                             at the row's class
 *     L_j = (gamma_j / gamma_b) alpha sigmoid(x)^gamma_j softplus(x)    at the others
 *
 * Where all classes are balanced (g = 1), and with `scaleFactor: 0`, it is exactly VarifocalLoss. The
 * gradient at a row's class counts as a positive's, unless its quality is 0 and makes it a negative;
 * with dense targets, that of every element with a target above `positiveThreshold`.
 *
 * ```ts
 * const criterion = new EqualizedVarifocalLoss({ numClasses: 1203, scaleFactor: 4 });
 * const { loss, grad } = criterion.forwardBackward(logits, labels, { quality: overlaps });
 * ```
 */
export class EqualizedVarifocalLoss extends FocusingCriterion<ResolvedEqualizedVarifocalOptions> {
  /**
   * @throws {@link EflArgumentError} for an option out of its range or unknown.
   * @throws {@link EflBackendUnavailableError} for a `device` that cannot be used here.
   * @throws {@link EflLoadError} where the native addon cannot be loaded.
   */
  constructor(options: EqualizedVarifocalLossOptions) {
    super('EqualizedVarifocalLoss', options);
  }
}
