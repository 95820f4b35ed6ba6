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

/** gamma_j of every class, or undefined for a loss whose classes all share one gamma. */
export function focusingFactors(criterion: Criterion): Float64Array | undefined {
  return criterion instanceof EqualizedFocalLoss ? criterion.focusingFactor : undefined;
}
