import { Criterion } from './criterion';
import { resolveOptions, type FocalLossOptions } from './options';

/**
 * Sigmoid Focal Loss (Lin et al., ICCV 2017, equation 5), for rows with at most one positive class:
 *
 *     L = -alpha_t (1 - p_t)^gamma log(p_t)
 *
 * with p_t = sigmoid(x) and alpha_t = alpha at the row's class, 1 - sigmoid(x) and 1 - alpha at the
 * others. `gamma: 0, alpha: -1` is binary cross-entropy. Finite for every finite logit.
 *
 * Logits are float32, rows x numClasses; labels say by {@link FocalLossOptions.background} which
 * class, or none, is positive in a row. Loss and counts are added in float64.
 *
 * ```ts
 * const criterion = new FocalLoss({ numClasses: 80 });
 * const { loss, grad } = criterion.forwardBackward(logits, labels, { normalizer: 'positives' });
 * ```
 */
export class FocalLoss extends Criterion {
  /**
   * @throws {@link EflArgumentError} for an option out of its range or unknown.
   * @throws {@link EflBackendUnavailableError} for a `device` that cannot be used here.
   * @throws {@link EflLoadError} where the native addon cannot be loaded.
   */
  constructor(options: FocalLossOptions) {
    super(resolveOptions(options), undefined);
  }
}
