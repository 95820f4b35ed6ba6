/** What is recorded while training: curves for the report, and the time the loss took. */
import { GROUPS, groupOf, type Group } from '../data/counts.ts';

/** A value per class, over the classes of a group. Low and high are the 10 and 90 % quantiles. */
export interface ClassSpread {
  mean: number;
  low: number;
  high: number;
}

export interface CurvePoint {
  step: number;
  /** Mean over the steps since the last point. */
  loss: number;
  learningRate: number;
  /** gamma_j and g_j, only for Equalized Focal Loss. */
  gamma?: Record<Group, ClassSpread>;
  gradientRatio?: Record<Group, ClassSpread>;
}

export interface History {
  curve: CurvePoint[];
  /** Per step, in order. */
  lossMilliseconds: number[];
  /** Loss summed since the last point. */
  pending: { sum: number; steps: number };
}

export const emptyHistory = (): History => ({
  curve: [],
  lossMilliseconds: [],
  pending: { sum: 0, steps: 0 },
});

/** `counts` are images per class. */
export function spreadByGroup(
  ofClasses: Float64Array,
  counts: readonly number[],
): Record<Group, ClassSpread> {
  const spreads = GROUPS.map((group): [Group, ClassSpread] => {
    const values = [...ofClasses.filter((_, c) => groupOf(counts[c]) === group)].sort(
      (a, b) => a - b,
    );
    const quantile = (share: number): number =>
      values[Math.round(share * (values.length - 1))] ?? Number.NaN;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return [group, { mean, low: quantile(0.1), high: quantile(0.9) }];
  });
  return Object.fromEntries(spreads) as Record<Group, ClassSpread>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
