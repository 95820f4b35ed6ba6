import type { ClassValues } from '../tensors/class-values';
import { Criterion } from './criterion';
import type { ResolvedSmoothingOptions, SmoothingOptions } from './options';

/** Options of {@link EqualizationLoss}. */
export interface EqualizationLossOptions extends SmoothingOptions {
  /** Share of the training images that contain each class: C numbers in [0, 1]. Required. */
  readonly classFrequencies: ClassValues;
  /** Classes with a lower frequency are protected. In [0, 1]. Default 0.00177, for LVIS. */
  readonly threshold?: number | undefined;
}

/** All options of an `EqualizationLoss`, defaults filled in. */
export interface ResolvedEqualizationOptions extends ResolvedSmoothingOptions {
  readonly classFrequencies: readonly number[];
  readonly threshold: number;
}

/**
 * Equalization Loss (Tan et al., CVPR 2020): binary cross-entropy in which the positives
 * of other classes do not push a rare class down.
 *
 *     L_j = w_j softplus(x) at negatives, softplus(-x) at the row's class
 *     w_j = 0 in rows with a class where frequency_j < threshold, else 1
 *
 * Negatives in background rows always weigh 1. With dense targets a row has a class where any of its
 * targets is above `positiveThreshold`. The official loss divides the sum by the number of rows: `normalizer: rows`.
 *
 * ```ts
 * const criterion = new EqualizationLoss({ numClasses: 3, classFrequencies: [0.2, 0.01, 0.0005] });
 * const { loss, grad } = criterion.forwardBackward(logits, labels, { normalizer: labels.length });
 * ```
 */
export class EqualizationLoss extends Criterion<ResolvedEqualizationOptions> {
  /**
   * @throws {@link EflArgumentError} for an option out of its range or unknown.
   * @throws {@link EflBackendUnavailableError} for a `device` that cannot be used here.
   * @throws {@link EflLoadError} where the native addon cannot be loaded.
   */
  constructor(options: EqualizationLossOptions) {
    super('EqualizationLoss', options);
  }
}
