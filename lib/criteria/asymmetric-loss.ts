import { Criterion } from './criterion';
import type { CriterionOptions, ResolvedCriterionOptions } from './options';

/** Options of {@link AsymmetricLoss}. */
export interface AsymmetricLossOptions extends CriterionOptions {
  /** Focusing parameter of positives. Finite, >= 0. Default 1. */
  readonly gammaPositive?: number | undefined;
  /**
   * Focusing parameter of negatives. 0, or finite and >= 1: between, the gradient has no bound where
   * the score meets the margin. Default 4.
   */
  readonly gammaNegative?: number | undefined;
  /** By how much the score of negatives is moved down. 0, or in [1e-6, 1). Default 0.05. */
  readonly margin?: number | undefined;
  /**
   * Whether the two powers are constants to the gradient: the default of the authors'
   * `AsymmetricLoss`, while their `AsymmetricLossOptimized`, timm and mmpretrain differentiate them.
   * Default false. The loss is the same.
   */
  readonly detachWeight?: boolean | undefined;
}

/** All options of an `AsymmetricLoss`, defaults filled in. */
export interface ResolvedAsymmetricOptions extends ResolvedCriterionOptions {
  readonly gammaPositive: number;
  readonly gammaNegative: number;
  readonly margin: number;
  readonly detachWeight: boolean;
}

/**
 * Asymmetric Loss, ASL (Ridnik et al., ICCV 2021), for classes of which a row has several or none:
 * dense targets are its main use.
 *
 *     L = sigmoid(-x)^gammaPositive softplus(-x)    at positives
 *     L = -p_m^gammaNegative log(1 - p_m)           at negatives, p_m = max(0, sigmoid(x) - margin)
 *
 * Negatives with a score up to the margin have no loss, and a gradient of exactly 0. A target between
 * 0 and 1 is what the authors' code makes of it: see `docs/numerics.md`. Their code adds 1e-8 inside
 * of logarithms, which computing from logits does not need.
 *
 * ```ts
 * const criterion = new AsymmetricLoss({ numClasses: 80, background: 'none' });
 * const targets = Float32Array.from(logits, () => 0); // rows x classes, 1 at the classes of a row
 * const { loss, grad } = criterion.forwardBackward(logits, targets);
 * ```
 */
export class AsymmetricLoss extends Criterion<ResolvedAsymmetricOptions> {
  /**
   * @throws {@link EflArgumentError} for an option out of its range or unknown.
   * @throws {@link EflBackendUnavailableError} for a `device` that cannot be used here.
   * @throws {@link EflLoadError} where the native addon cannot be loaded.
   */
  constructor(options: AsymmetricLossOptions) {
    super('AsymmetricLoss', options);
  }
}
