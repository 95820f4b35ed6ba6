import { Criterion } from './criterion';
import type { CriterionOptions, ResolvedCriterionOptions } from './options';

/** Options of {@link VarifocalLoss}. */
export interface VarifocalLossOptions extends CriterionOptions {
  /** Focusing parameter of negatives. Finite, >= 0 (> 0 for EqualizedVarifocalLoss). Default 2. */
  readonly gamma?: number | undefined;
  /** Weight of negatives; positives have none. Finite, >= 0. Default 0.75. */
  readonly alpha?: number | undefined;
  /** Whether positives weigh their quality. Default true. */
  readonly iouWeighted?: boolean | undefined;
  /**
   * Whether sigmoid(x)^gamma of negatives is a constant to the gradient, as in RT-DETR, D-FINE and
   * DEIM. Default false, as in mmdetection, Ultralytics and RF-DETR. The loss is the same.
   */
  readonly detachWeight?: boolean | undefined;
  /**
   * What the class of a row is whose quality is 0: with `true` nothing, without loss and gradient, as
   * in RT-DETR, D-FINE, DEIM and Ultralytics; with `false` a negative, as in mmdetection and RF-DETR.
   * Default false.
   */
  readonly ignoreZeroQuality?: boolean | undefined;
}

/** All options of a `VarifocalLoss`, defaults filled in. */
export interface ResolvedVarifocalOptions extends ResolvedCriterionOptions {
  readonly gamma: number;
  readonly alpha: number;
  readonly iouWeighted: boolean;
  readonly detachWeight: boolean;
  readonly ignoreZeroQuality: boolean;
}

/**
 * Varifocal Loss (Zhang et al., VarifocalNet, CVPR 2021): binary cross-entropy with the quality q of a
 * row's class as its target, and focus on negatives alone.
 *
 *     L = q BCE(x, q)                           at the row's class
 *     L = alpha sigmoid(x)^gamma softplus(x)    at the others
 *
 * Calls with labels need the option `quality`, one value in [0, 1] for each row, read in rows with a
 * class; with dense targets these are the qualities themselves.
 *
 * mmdetection and RF-DETR have the defaults. The loss of RT-DETR, D-FINE and DEIM is
 * `{ detachWeight: true, ignoreZeroQuality: true }`, divided by the number of boxes.
 *
 * ```ts
 * const criterion = new VarifocalLoss({ numClasses: 80 });
 * const call = { quality: overlaps, normalizer: 'positives' } as const;
 * const { loss, grad } = criterion.forwardBackward(logits, labels, call);
 * ```
 */
export class VarifocalLoss extends Criterion<ResolvedVarifocalOptions> {
  /**
   * @throws {@link EflArgumentError} for an option out of its range or unknown.
   * @throws {@link EflBackendUnavailableError} for a `device` that cannot be used here.
   * @throws {@link EflLoadError} where the native addon cannot be loaded.
   */
  constructor(options: VarifocalLossOptions) {
    super('VarifocalLoss', options);
  }
}
