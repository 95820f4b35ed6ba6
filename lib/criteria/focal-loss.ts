import type { ClassValues } from '../tensors/class-values';
import { Criterion } from './criterion';
import type { ResolvedSmoothingOptions, SmoothingOptions } from './options';

/** Options of {@link FocalLoss}. */
export interface FocalLossOptions extends SmoothingOptions {
  /**
   * Base focusing parameter gamma_b. Finite, >= 0 (> 0 for EqualizedFocalLoss); more than 1e30
   * counts as 1e30. Default 2.
   */
  readonly gamma?: number | undefined;
  /**
   * Positives weigh alpha, negatives 1 - alpha: one number, or one for each class. In [0, 1], or any
   * negative number to leave it out. Default 0.25.
   */
  readonly alpha?: number | ClassValues | undefined;
}

/** All options of a `FocalLoss`, defaults filled in. */
export interface ResolvedOptions extends ResolvedSmoothingOptions {
  readonly gamma: number;
  readonly alpha: number | readonly number[];
}

/**
 * Sigmoid Focal Loss (Lin et al., ICCV 2017, equation 5):
 *
 *     L = -alpha_t (1 - p_t)^gamma log(p_t)
 *
 * with p_t = sigmoid(x) and alpha_t = alpha at the row's class, 1 - sigmoid(x) and 1 - alpha at the
 * others. `gamma: 0, alpha: -1` is binary cross-entropy. Finite unless a logit times its weight is
 * beyond 6e37.
 *
 * Labels say by {@link FocalLossOptions.background} which class, or none, is positive in a row. Dense
 * targets y in their place mean p_t = p y + (1 - p)(1 - y), alpha_t = alpha y + (1 - alpha)(1 - y)
 * and BCE(x, y) for -log(p_t), as in torchvision. Loss and counts are added in float64.
 *
 * ```ts
 * const criterion = new FocalLoss({ numClasses: 80 });
 * const { loss, grad } = criterion.forwardBackward(logits, labels, { normalizer: 'positives' });
 * ```
 */
export class FocalLoss extends Criterion<ResolvedOptions> {
  /**
   * @throws {@link EflArgumentError} for an option out of its range or unknown.
   * @throws {@link EflBackendUnavailableError} for a `device` that cannot be used here.
   * @throws {@link EflLoadError} where the native addon cannot be loaded.
   */
  constructor(options: FocalLossOptions) {
    super('FocalLoss', options);
  }
}
