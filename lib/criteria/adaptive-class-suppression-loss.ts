import type { ClassValues } from '../tensors/class-values';
import { Criterion } from './criterion';
import type { ResolvedSmoothingOptions, SmoothingOptions } from './options';

/** Options of {@link AdaptiveClassSuppressionLoss}. */
export interface AdaptiveClassSuppressionLossOptions extends SmoothingOptions {
  /** In rows with a class, negatives count from this score on. In (0, 1). Default 0.7. */
  readonly scoreThreshold?: number | undefined;
  /**
   * Weight of each class's negatives in background rows: C numbers, finite and >= 0. Default: 1 for
   * every class.
   *
   * The official code draws background rows at random: 1 % of them count for rare classes, 10 % for
   * common ones, all for frequent ones. Weights of 0.01, 0.1 and 1 are what that comes to on average,
   * without its variance.
   */
  readonly backgroundWeight?: ClassValues | undefined;
}

/** All options of an `AdaptiveClassSuppressionLoss`, defaults filled in. */
export interface ResolvedClassSuppressionOptions extends ResolvedSmoothingOptions {
  readonly scoreThreshold: number;
  /** Undefined where every class weighs 1. */
  readonly backgroundWeight: readonly number[] | undefined;
}

/**
 * Adaptive Class Suppression Loss (Wang et al., CVPR 2021): binary cross-entropy in which
 * a row with a class pushes down only the classes it is confused with.
 *
 *     L_j = w_j softplus(x) at negatives, softplus(-x) at the row's class
 *     w_j = 1 where sigmoid(x) >= scoreThreshold, else 0    in rows with a class
 *     w_j = backgroundWeight_j                              in background rows
 *
 * With dense targets a row has a class where any of its targets is above `positiveThreshold`. The official loss divides
 * the sum by the number of rows: `normalizer: rows`.
 *
 * ```ts
 * const criterion = new AdaptiveClassSuppressionLoss({ numClasses: 1203, background: 'last' });
 * const { loss, grad } = criterion.forwardBackward(logits, labels, { normalizer: labels.length });
 * ```
 */
export class AdaptiveClassSuppressionLoss extends Criterion<ResolvedClassSuppressionOptions> {
  /**
   * @throws {@link EflArgumentError} for an option out of its range or unknown.
   * @throws {@link EflBackendUnavailableError} for a `device` that cannot be used here.
   * @throws {@link EflLoadError} where the native addon cannot be loaded.
   */
  constructor(options: AdaptiveClassSuppressionLossOptions) {
    super('AdaptiveClassSuppressionLoss', options);
  }
}
