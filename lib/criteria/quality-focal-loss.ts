import type { ClassValues } from '../tensors/class-values';
import { Criterion } from './criterion';
import type { CriterionOptions, ResolvedCriterionOptions } from './options';

/** Options of {@link QualityFocalLoss}. */
export interface QualityFocalLossOptions extends CriterionOptions {
  /**
   * Focusing parameter, the paper's beta. Finite, >= 1: below 1 the gradient has no bound where the
   * score meets the quality. Default 2.
   */
  readonly gamma?: number | undefined;
  /**
   * A quality q weighs alpha q + (1 - alpha)(1 - q), so negatives 1 - alpha: one number, or one for
   * each class. In [0, 1], or any negative number to leave it out. Default -1: the paper has none.
   */
  readonly alpha?: number | ClassValues | undefined;
}

/** All options of a `QualityFocalLoss`, defaults filled in. */
export interface ResolvedQualityOptions extends ResolvedCriterionOptions {
  readonly gamma: number;
  readonly alpha: number | readonly number[];
}

/**
 * Quality Focal Loss (Li et al., Generalized Focal Loss, NeurIPS 2020): the target of a
 * row's class is not 1 but the row's quality q, for example the IoU of its box.
 *
 *     L = |q - sigmoid(x)|^gamma BCE(x, q)     at the row's class
 *     L = sigmoid(x)^gamma softplus(x)         at the others, which is the same with q = 0
 *
 * Calls with labels need the option `quality`, one value in [0, 1] for each row,
 * read in rows with a class; with dense targets these are the qualities themselves.
 *
 * ```ts
 * const criterion = new QualityFocalLoss({ numClasses: 80 });
 * const { loss, grad } = criterion.forwardBackward(logits, labels, { quality: overlaps });
 * ```
 */
export class QualityFocalLoss extends Criterion<ResolvedQualityOptions> {
  /**
   * @throws {@link EflArgumentError} for an option out of its range or unknown.
   * @throws {@link EflBackendUnavailableError} for a `device` that cannot be used here.
   * @throws {@link EflLoadError} where the native addon cannot be loaded.
   */
  constructor(options: QualityFocalLossOptions) {
    super('QualityFocalLoss', options);
  }
}
