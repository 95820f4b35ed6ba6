import { alpha, baseGamma, type Problem, type Solution } from './workload';

export interface Reference extends Omit<Solution, 'gradient'> {
  readonly gradient: Float64Array;
}

/**
 * Equalized Focal Loss in float64, straight from its equations: the yardstick for every contender.
 * With u = x for a negative and -x for a positive, 1 - p_t = sigmoid(u) and -log p_t = softplus(u).
 */
export function solveInFloat64({ rows, classes, logits, labels, gamma }: Problem): Reference {
  const gradient = new Float64Array(rows * classes);
  const positive = new Float64Array(classes);
  const negative = new Float64Array(classes);
  let loss = 0;
  labels.forEach((label, row) => {
    if (label < 0) return;
    for (let j = 0; j < classes; j++) {
      const index = row * classes + j;
      const isPositive = label === j + 1;
      const u = isPositive ? -logits[index]! : logits[index]!;
      const factor = (isPositive ? alpha : 1 - alpha) * (gamma[j]! / baseGamma);
      const modulator = Math.pow(sigmoid(u), gamma[j]!);
      loss += factor * modulator * softplus(u);
      // d/du of sigmoid(u)^gamma softplus(u)
      const slope = modulator * (gamma[j]! * sigmoid(-u) * softplus(u) + sigmoid(u));
      gradient[index] = (isPositive ? -1 : 1) * factor * slope;
      (isPositive ? positive : negative)[j]! += factor * slope;
    }
  });
  return { loss, gradient, positive, negative };
}

function sigmoid(u: number): number {
  return u >= 0 ? 1 / (1 + Math.exp(-u)) : Math.exp(u) / (1 + Math.exp(u));
}

function softplus(u: number): number {
  return Math.max(u, 0) + Math.log1p(Math.exp(-Math.abs(u)));
}
