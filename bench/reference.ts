import type { Errors } from './report/report';
import { alpha, baseGamma, type Problem, type Solution } from './workload';

/** What a contender may be off by: sums of float32 numbers are that coarse in some of the peers. */
export const tolerance = 1e-3;

/**
 * Smaller values are compared as if they were as large: nothing is trained by them. Those below 2^-126
 * are as good as 0, which some contenders make of them, this package among them.
 */
const negligible = 1e-12;

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

/** How far a solution is from the reference at most, relative to the value. */
export function errorsOf(solution: Solution, reference: Reference): Errors {
  return {
    loss: worst([solution.loss], [reference.loss]),
    gradient: worst(solution.gradient, reference.gradient),
    statistics: Math.max(
      worst(solution.positive, reference.positive),
      worst(solution.negative, reference.negative),
    ),
  };
}

/** The largest error relative to the value, or to `least` where the value is smaller. */
export function worst(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  least = negligible,
): number {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const scale = Math.max(Math.abs(expected[i]!), least);
    const error = Math.abs(actual[i]! - expected[i]!) / scale;
    if (!(error <= largest)) largest = Number.isNaN(error) ? Infinity : error;
  }
  return largest;
}

/** What is wrong with a solution, or undefined where it may be timed. */
export function complaint(errors: Errors): string | undefined {
  const wrong = Object.entries(errors).filter(([, error]) => !(error <= tolerance));
  if (wrong.length === 0) return undefined;
  const figures = wrong.map(([what, error]) => `${what} by ${Number(error).toExponential(1)}`);
  return `computes something else: off from float64 in ${figures.join(', ')} (relative)`;
}
