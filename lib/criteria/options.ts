import { resolveDevice, type Device } from '../backends';
import { backgrounds, ignoredLabels, type Background } from '../tensors/labels';
import { choiceOption, isFiniteFloat32, knownOptions, numberOption, reject } from '../validation';

export const reductions = ['sum', 'mean', 'none'] as const;

/**
 * `'sum'`: sum of all elements / normalizer. `'mean'`: sum / (rows that are not ignored x classes).
 * `'none'`: one loss for each element.
 */
export type Reduction = (typeof reductions)[number];

/** Options that every criterion of the focal family takes. */
export interface FocalLossOptions {
  /** C, foreground classes: logits in a row. Integer from 1 to 2^24. Required. */
  readonly numClasses: number;
  /** Base focusing parameter gamma_b. Finite, >= 0 (> 0 for EqualizedFocalLoss). Default 2. */
  readonly gamma?: number | undefined;
  /**
   * Positives weigh alpha, negatives 1 - alpha. In [0, 1], or any negative number to leave it out.
   * Default 0.25.
   */
  readonly alpha?: number | undefined;
  /** What the label of background is. Default `'first'`. */
  readonly background?: Background | undefined;
  /**
   * Rows with this label, or one of these, count for nothing: no loss, no gradient, no statistics.
   * 32-bit integers that are neither a class nor background; `[]` ignores nothing. Default -1.
   */
  readonly ignoreIndex?: number | readonly number[] | undefined;
  /** How the elements become the loss. Default `'sum'`. */
  readonly reduction?: Reduction | undefined;
  /** Finite factor on loss and gradient, and so on the statistics. Default 1. */
  readonly lossWeight?: number | undefined;
  /** Where host arrays are computed. Default `'auto'`. */
  readonly device?: Device | undefined;
}

/** Options of {@link EqualizedFocalLoss}. */
export interface EqualizedFocalLossOptions extends FocalLossOptions {
  /** s in gamma_j = gamma_b + s (1 - g_j). Finite, >= 0. Default 8, as for RetinaNet-like detectors. */
  readonly scaleFactor?: number | undefined;
}

/** All options of a criterion, defaults filled in. */
export interface ResolvedOptions {
  readonly numClasses: number;
  readonly gamma: number;
  readonly alpha: number;
  readonly background: Background;
  readonly ignoreIndex: readonly number[];
  readonly reduction: Reduction;
  readonly lossWeight: number;
  readonly device: Device;
}

/** All options of an `EqualizedFocalLoss`, defaults filled in. */
export interface ResolvedEqualizedOptions extends ResolvedOptions {
  readonly scaleFactor: number;
}

const names = [
  'numClasses',
  'gamma',
  'alpha',
  'background',
  'ignoreIndex',
  'reduction',
  'lossWeight',
  'device',
] as const;

/** Rows of per-class arrays stay within 32-bit indices, and a row within reason. */
const maxClasses = 2 ** 24;

export function resolveOptions(options: FocalLossOptions): ResolvedOptions {
  return resolveCommon(given(options, names), false);
}

export function resolveEqualizedOptions(
  options: EqualizedFocalLossOptions,
): ResolvedEqualizedOptions {
  const checked: Partial<EqualizedFocalLossOptions> = given(options, [...names, 'scaleFactor']);
  const common = resolveCommon(checked, true);
  return { ...common, scaleFactor: resolveScaleFactor(checked.scaleFactor, common.gamma) };
}

function given<T extends FocalLossOptions>(options: T, allowed: readonly string[]): Partial<T> {
  if (options === undefined) reject('options', 'an object with numClasses', options);
  return knownOptions('options', options, allowed);
}

function resolveCommon(options: Partial<FocalLossOptions>, equalized: boolean): ResolvedOptions {
  const numClasses = resolveClasses(options.numClasses);
  const background = choiceOption('background', options.background, 'first', backgrounds);
  return {
    numClasses,
    gamma: resolveGamma(options.gamma, equalized),
    alpha: resolveAlpha(options.alpha),
    background,
    ignoreIndex: Object.freeze([...ignoredLabels(options.ignoreIndex, background, numClasses)]),
    reduction: choiceOption('reduction', options.reduction, 'sum', reductions),
    lossWeight: numberOption(
      'lossWeight',
      options.lossWeight,
      1,
      'a finite number',
      isFiniteFloat32,
    ),
    device: resolveDevice(options.device),
  };
}

function resolveClasses(value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > maxClasses) {
    reject('numClasses', `an integer from 1 to ${maxClasses}`, value);
  }
  return value as number;
}

function resolveGamma(value: unknown, equalized: boolean): number {
  const range = equalized ? 'a finite number > 0' : 'a finite number >= 0';
  return numberOption(
    'gamma',
    value,
    2,
    range,
    (gamma) => isFiniteFloat32(gamma) && (equalized ? gamma > 0 : gamma >= 0),
  );
}

export function resolveAlpha(value: unknown): number {
  const range = 'a number in [0, 1], or a negative one to leave alpha out';
  return numberOption('alpha', value, 0.25, range, (alpha) => alpha <= 1);
}

function resolveScaleFactor(value: unknown, gamma: number): number {
  const range = 'a finite number >= 0 for which (gamma + scaleFactor) / gamma is finite too';
  return numberOption(
    'scaleFactor',
    value,
    8,
    range,
    (scaleFactor) =>
      scaleFactor >= 0 &&
      isFiniteFloat32((gamma + scaleFactor) / gamma) &&
      isFiniteFloat32(gamma + scaleFactor),
  );
}
