/**
 * Losses whose positives are not their negatives turned round, each from the code or the paper named
 * in docs/numerics.md.
 */

import { focalElement, sigmoid, softplus, uncancelled } from './element';
import type { SoftElementResult, Weights } from './element';
import type { KindOptions } from './kinds';

// As constants: a look at a global is slow in the sandbox of the test runner.
const { abs, exp, log, log1p, max, min, pow } = Math;

/** What an element is computed from, beside its logit. */
export interface Given {
  /** Target or quality. */
  readonly y: number;
  /** Whether it belongs to the class of its row, or has a target above 0. */
  readonly isPositive: boolean;
  readonly gamma: number;
  readonly weights: Weights;
  readonly options: KindOptions;
}

const NOTHING: SoftElementResult = { loss: 0, gradient: 0, lossScale: 0, gradientScale: 0 };

/** w BCE(x, y), with y a constant. */
function entropyElement(x: number, y: number, weight: number): SoftElementResult {
  const loss = weight * ((y === 1 ? 0 : (1 - y) * softplus(x)) + (y === 0 ? 0 : y * softplus(-x)));
  const [raised, lowered] = [y * sigmoid(-x), (1 - y) * sigmoid(x)];
  return {
    loss,
    gradient: weight * (lowered - raised),
    lossScale: loss,
    gradientScale: weight * (lowered + raised),
  };
}

/** w p^gamma softplus(x), with p^gamma a constant to the gradient if `isDetached`. */
function negativeElement(x: number, given: Given, isDetached: boolean): SoftElementResult {
  const weight = given.weights.negative;
  const element = focalElement(x, false, given.gamma, weight);
  if (!isDetached) return uncancelled(element);
  const gradient = weight * exp(-(given.gamma + 1) * softplus(-x));
  return uncancelled({ loss: element.loss, gradient });
}

export function varifocalElement(x: number, given: Given): SoftElementResult {
  const { y, isPositive, weights, options } = given;
  const { iouWeighted = true, detachWeight = false, ignoreZeroQuality = false } = options;
  if (!isPositive) return negativeElement(x, given, detachWeight);
  if (y === 0) return ignoreZeroQuality ? NOTHING : negativeElement(x, given, detachWeight);
  return entropyElement(x, y, weights.positive * (iouWeighted ? y : 1));
}

export function iouAwareElement(x: number, given: Given): SoftElementResult {
  const { y, isPositive, weights, options } = given;
  const { alpha = 0.25 } = options as { alpha?: number };
  if (!isPositive) return negativeElement(x, given, false);
  const score = alpha === 0 ? 1 : exp(-alpha * softplus(-x));
  return entropyElement(x, max(0.01, score * pow(y, 1 - alpha)), weights.positive);
}

export function matchabilityElement(x: number, given: Given): SoftElementResult {
  const { y, isPositive, gamma, weights } = given;
  if (!isPositive) return negativeElement(x, given, true);
  return entropyElement(x, pow(y, gamma), weights.positive);
}

/**
 * ASL of a target y: with p_m = max(0, p - m), h = y (1 - p) + (1 - y) p_m and the gamma of y,
 * w h^gamma (-y log p - (1 - y) log(1 - p_m)).
 */
export function asymmetricElement(x: number, given: Given): SoftElementResult {
  const { y, gamma: negativeGamma, weights, options } = given;
  const { gammaPositive = 1, margin = 0.05, detachWeight = false } = options;
  const m = Math.fround(margin);
  const [p, q] = [sigmoid(x), sigmoid(-x)];
  const weight = y * weights.positive + (1 - y) * weights.negative;
  const gamma = y * gammaPositive + (1 - y) * negativeGamma;
  const counts = Number.isNaN(x) || p > m;

  // What is left of the score, which the margin has taken digits from.
  const uncertain = p + m;
  const isNear = p > m - 1e-7 * uncertain;
  const resolved = isNear && m > 0 ? max(p - m, 1e-7 * uncertain) : max(0, p - m);
  const at = (score: number): SoftElementResult => {
    const entropy =
      (y > 0 ? y * softplus(-x) : 0) +
      (y < 1 ? (1 - y) * (m > 0 ? logInverse(score, q + m) : softplus(x)) : 0);
    const h = y * q + (1 - y) * score;
    const power =
      m === 0 && (y === 0 || y === 1) ? exp(-gamma * softplus(y ? x : -x)) : pow(h, gamma);
    const modulator = y === 1 ? exp(-gamma * softplus(x)) : power;
    const lowered = counts ? (1 - y) * (m > 0 ? (p * q) / (q + m) : p) : 0;
    // (dh / dx) / h, times the entropy, which grows slower than p q vanishes.
    const share = y === 1 ? -p : m === 0 && y === 0 ? q : (p * q * ((counts ? 1 - y : 0) - y)) / h;
    const isFlat = detachWeight || gamma === 0 || share === 0 || h === 0;
    const turn =
      isFlat && !Number.isNaN(x) ? 0 : entropy === Infinity ? 0 : gamma * share * entropy;
    return {
      loss: weight * modulator * entropy,
      gradient: weight * modulator * (lowered - y * q + turn),
      lossScale: weight * modulator * entropy,
      gradientScale: weight * modulator * (lowered + y * q + abs(turn)),
    };
  };
  const exact = at(max(0, p - m));
  if (m === 0 || y > 0) return exact;
  const loose = at(resolved);
  const factor = resolved > 0 ? uncertain / resolved : 0;
  return {
    ...(counts ? exact : { loss: 0, gradient: 0 }),
    lossScale: loose.lossScale * factor,
    // A probability that float32 does not hold may be missing from what is divided by the margin.
    gradientScale: abs(loose.gradientScale) * factor + (weight * 2 ** -126 * 1e5) / m,
  };
}

/** -log(1 - score), from both. */
function logInverse(score: number, other: number): number {
  return score < 0.5 ? -log1p(-score) : -log(min(1, other));
}

/** Cross-entropy of 2 x + delta; the delta of the class comes as its gamma. */
export function classMarginElement(x: number, given: Given): SoftElementResult {
  const { y, gamma: shift, weights } = given;
  const weight = y * weights.positive + (1 - y) * weights.negative;
  const element = entropyElement(2 * x + shift, y, weight);
  return {
    ...element,
    gradient: 2 * element.gradient,
    gradientScale: 2 * element.gradientScale,
  };
}

/** Of a class, or of background: its shift and its weight, from its count and that of all others. */
export function classMargin(count: number, others: number): { gamma: number; weight: number } {
  const ratio = others / count;
  return { gamma: -log(ratio) / 4, weight: ratio * log1p(1 / ratio) };
}
