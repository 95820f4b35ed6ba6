/** What is recorded while training: curves for the report, and the time the loss took. */
import { GROUPS, groupOf, type Group } from '../data/counts.ts';

/** gamma_j over the classes of a group. */
export interface GammaSpread {
  mean: number;
  low: number;
  high: number;
}

export interface CurvePoint {
  step: number;
  /** Mean over the steps since the last point. */
  loss: number;
  learningRate: number;
  /** Only for Equalized Focal Loss. */
  gamma?: Record<Group, GammaSpread>;
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

/** `counts` are images per class. Low and high are the 10 and 90 % quantiles. */
export function gammaByGroup(
  gamma: Float64Array,
  counts: readonly number[],
): Record<Group, GammaSpread> {
  const spreads = GROUPS.map((group): [Group, GammaSpread] => {
    const values = [...gamma.filter((_, c) => groupOf(counts[c]) === group)].sort((a, b) => a - b);
    const quantile = (share: number): number =>
      values[Math.round(share * (values.length - 1))] ?? Number.NaN;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return [group, { mean, low: quantile(0.1), high: quantile(0.9) }];
  });
  return Object.fromEntries(spreads) as Record<Group, GammaSpread>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
