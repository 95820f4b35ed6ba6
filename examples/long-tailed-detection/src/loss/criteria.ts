/** The three losses, all of them computed by the package this example belongs to. */
import { EqualizedFocalLoss, FocalLoss } from 'equalized-focal-loss';

import type { ExperimentConfig, LossName } from '../config.ts';
import { IGNORED_LABEL } from '../data/geometry.ts';

export type Criterion = FocalLoss | EqualizedFocalLoss;

export function createCriterion(loss: LossName, config: ExperimentConfig): Criterion {
  const { gamma, alpha, scaleFactor } = config;
  const shared = {
    numClasses: config.classes,
    background: 'first',
    ignoreIndex: IGNORED_LABEL,
  } as const;
  switch (loss) {
    case 'ce':
      // Without focusing and without balancing, Focal Loss is sigmoid cross-entropy.
      return new FocalLoss({ ...shared, gamma: 0, alpha: -1 });
    case 'fl':
      return new FocalLoss({ ...shared, gamma, alpha });
    case 'efl':
      return new EqualizedFocalLoss({ ...shared, gamma, alpha, scaleFactor });
  }
}

export interface Equalization {
  /** g_j of every class. */
  gradientRatio: Float64Array;
  /** gamma_j of every class. */
  focusingFactor: Float64Array;
}

/** How far classes are apart, or undefined for a loss that treats them all alike. */
export function equalization(criterion: Criterion): Equalization | undefined {
  if (!(criterion instanceof EqualizedFocalLoss)) return undefined;
  return { gradientRatio: criterion.gradientRatio, focusingFactor: criterion.focusingFactor };
}
