import type { ResolvedStatisticsOptions, StatisticsOptions } from './equalized-criterion';
import { FocusingCriterion } from './focusing-criterion';
import type { QualityFocalLossOptions, ResolvedQualityOptions } from './quality-focal-loss';

/** Options of {@link EqualizedQualityFocalLoss}. */
export interface EqualizedQualityFocalLossOptions
  extends QualityFocalLossOptions, StatisticsOptions {
  /** s in gamma_j = gamma_b + s (1 - g_j). Finite, >= 0. Default 8; the authors take 4 for YOLOX. */
  readonly scaleFactor?: number | undefined;
}

/** All options of an `EqualizedQualityFocalLoss`, defaults filled in. */
export interface ResolvedEqualizedQualityOptions
  extends ResolvedQualityOptions, ResolvedStatisticsOptions {
  readonly scaleFactor: number;
}

/**
 * Equalized Quality Focal Loss (United-Perception, `equalized_quality_focal_loss`):
 * {@link QualityFocalLoss} with the focusing factor gamma_j and the weight gamma_j / gamma_b of
 * {@link EqualizedFocalLoss}, and its statistics.
 *
 *     L_j = (gamma_j / gamma_b) |q - sigmoid(x)|^gamma_j BCE(x, q)
 *
 * The gradient at a row's class counts as a positive's, whatever the quality; with dense targets, that
 * of every element with a target above `positiveThreshold`.
 *
 * ```ts
 * const criterion = new EqualizedQualityFocalLoss({ numClasses: 1203, scaleFactor: 4 });
 * const { loss, grad } = criterion.forwardBackward(logits, labels, { quality: overlaps });
 * ```
 */
export class EqualizedQualityFocalLoss extends FocusingCriterion<ResolvedEqualizedQualityOptions> {
  /**
   * @throws {@link EflArgumentError} for an option out of its range or unknown.
   * @throws {@link EflBackendUnavailableError} for a `device` that cannot be used here.
   * @throws {@link EflLoadError} where the native addon cannot be loaded.
   */
  constructor(options: EqualizedQualityFocalLossOptions) {
    super('EqualizedQualityFocalLoss', options);
  }
}
