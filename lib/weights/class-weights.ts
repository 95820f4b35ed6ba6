import { countsOf, type ClassCounts } from '../tensors/class-values';
import { knownOptions, numberOption, reject } from '../validation';

/** Options of {@link effectiveNumberWeights}. */
export interface EffectiveNumberOptions {
  /**
   * How much a further example of a class still adds: 0 gives every class the same weight, values near
   * 1 give almost the inverse frequency. In [0, 1). The paper tries 0.9, 0.99, 0.999 and 0.9999.
   * Required.
   */
  readonly beta: number;
}

/** Options of {@link inverseFrequencyWeights}. */
export interface InverseFrequencyOptions {
  /** 1 for the inverse frequency, 0.5 for its square root, 0 for equal weights. Finite, >= 0. Default 1. */
  readonly power?: number | undefined;
}

/**
 * Weights by the effective number of examples (Cui et al., Class-Balanced Loss, CVPR 2019; the later
 * epochs of LDAM-DRW, Cao et al., NeurIPS 2019):
 *
 *     w_j = (1 - beta) / (1 - beta^n_j), scaled so that all weights add up to C
 *
 * `counts` has n_j, the examples of each class in the training set: C finite numbers >= 1, of any
 * type. A class without examples is refused: the formula has no weight for it.
 *
 * The losses in those papers weigh a row by the class of its label, all its logits alike: pass the
 * result to {@link weightsByLabel}. As `classWeight` of a criterion it weighs columns instead.
 *
 * @returns C weights > 0, in float64.
 * @throws {@link EflArgumentError} for `counts`, `counts[class]` or an option out of its range.
 */
export function effectiveNumberWeights(
  counts: ClassCounts,
  options: EffectiveNumberOptions,
): Float64Array {
  const { beta } = knownOptions('options', options, ['beta']);
  const isShare = (value: unknown): value is number =>
    typeof value === 'number' && value >= 0 && value < 1;
  if (!isShare(beta)) reject('beta', 'a number in [0, 1)', beta);
  const expected = 'a finite number >= 1, since a class without examples has no weight';
  const numbers = countsOf('counts', counts, expected, (count) => count >= 1);
  // log(beta) and 1 - beta^n as they are: near 1 the plain formula loses its digits to rounding.
  const logarithm = Math.log1p(beta - 1);
  return scaled(numbers.map((count) => -1 / Math.expm1(count * logarithm)));
}

/**
 * Weights by inverse frequency:
 *
 *     w_j = n_j^-power, scaled so that all weights add up to C
 *
 * With power 1 the inverse frequency, with 0.5 its square root. DisAlign's generalized re-weighting
 * (Zhang et al., CVPR 2021) is this with its rho as the power: 0.8 for LVIS, 1.2 for ImageNet-LT, 0.3
 * for ADE20K; there background weighs 1. Ultralytics' `cls_pw` is a power of the inverse frequency, too;
 * how it scales the weights depends on its version.
 *
 * `counts` has n_j: C finite numbers > 0, of any type. Only their ratios matter, so shares will do. A
 * class without examples is refused: its weight would be infinite.
 *
 * @returns C weights >= 0, in float64.
 * @throws {@link EflArgumentError} for `counts`, `counts[class]` or an option out of its range.
 */
export function inverseFrequencyWeights(
  counts: ClassCounts,
  options?: InverseFrequencyOptions,
): Float64Array {
  const { power: given } = knownOptions('options', options, ['power']);
  const isPower = (value: number): boolean => value >= 0 && value < Infinity;
  const power = numberOption('power', given, 1, 'a finite number >= 0', isPower);
  const expected = 'a finite number > 0, since a class without examples has no weight';
  const numbers = countsOf('counts', counts, expected, (count) => count > 0);
  // Relative to the rarest class no weight is above 1, however large the power.
  const rarest = numbers.reduce((least, count) => Math.min(least, count), Infinity);
  return scaled(numbers.map((count) => (rarest / count) ** power));
}

/** The same weights with a mean of 1. */
function scaled(weights: Float64Array): Float64Array {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => (weight * weights.length) / sum);
}
