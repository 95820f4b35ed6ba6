import { Criterion } from './criterion';
import type { CriterionOptions, ResolvedCriterionOptions } from './options';

/** Options of {@link IouAwareBceLoss}. */
export interface IouAwareBceLossOptions extends CriterionOptions {
  /** Focusing parameter of negatives. Finite, >= 0. Default 2. */
  readonly gamma?: number | undefined;
  /** Power of the score in the target of positives. In [0, 1]. Default 0.25. */
  readonly alpha?: number | undefined;
}

/** All options of an `IouAwareBceLoss`, defaults filled in. */
export interface ResolvedIouAwareOptions extends ResolvedCriterionOptions {
  readonly gamma: number;
  readonly alpha: number;
}

/**
 * IoU-aware binary cross-entropy, IA-BCE (Cai et al., Align-DETR, 2023; the default of RF-DETR): the
 * target of a row's class lies between its score and its quality q.
 *
 *     L = BCE(x, t), t = max(0.01, sigmoid(x)^alpha q^(1 - alpha))    at the row's class
 *     L = sigmoid(x)^gamma softplus(x)                                at the others
 *
 * t is a constant to the gradient. Qualities come as for {@link VarifocalLoss}; a quality of 0 leaves
 * the class a positive, with t = 0.01. RF-DETR divides by the number of boxes.
 *
 * ```ts
 * const criterion = new IouAwareBceLoss({ numClasses: 80 });
 * const { loss, grad } = criterion.forwardBackward(logits, labels, { quality: overlaps });
 * ```
 */
export class IouAwareBceLoss extends Criterion<ResolvedIouAwareOptions> {
  /**
   * @throws {@link EflArgumentError} for an option out of its range or unknown.
   * @throws {@link EflBackendUnavailableError} for a `device` that cannot be used here.
   * @throws {@link EflLoadError} where the native addon cannot be loaded.
   */
  constructor(options: IouAwareBceLossOptions) {
    super('IouAwareBceLoss', options);
  }
}
