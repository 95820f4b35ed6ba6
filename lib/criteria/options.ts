import { resolveDevice, type Device } from '../backends';
import { backgrounds, ignoredLabels, type Background } from '../tensors/labels';
import { choiceOption, isFiniteFloat32, knownOptions, numberOption, reject } from '../validation';
import { classValues, type ClassValues } from './class-values';

export const reductions = ['sum', 'mean', 'none'] as const;

/**
 * `'sum'`: sum of all elements / normalizer. `'mean'`: sum / (rows that are not ignored x logits of a row).
 * `'none'`: one loss for each element.
 */
export type Reduction = (typeof reductions)[number];

/** Options that every criterion takes. */
export interface CriterionOptions {
  /** C, foreground classes: logits in a row. Integer from 1 to 2^24. Required. */
  readonly numClasses: number;
  /**
   * Factor on the loss and the gradient of each class, and so on its statistics: C numbers, finite
   * and >= 0. Default: 1 for every class.
   */
  readonly classWeight?: ClassValues | undefined;
  /** What the label of background is. Default `'first'`. */
  readonly background?: Background | undefined;
  /**
   * Rows with this label, or one of these, count for nothing: no loss, no gradient, no statistics.
   * At most 65536 32-bit integers that are neither a class nor background; `[]` ignores nothing.
   * Default -1.
   */
  readonly ignoreIndex?: number | readonly number[] | undefined;
  /** How the elements become the loss. Default `'sum'`. */
  readonly reduction?: Reduction | undefined;
  /** Finite factor on loss and gradient, and so on the statistics. Default 1. */
  readonly lossWeight?: number | undefined;
  /** Where host arrays are computed. Default `'auto'`. */
  readonly device?: Device | undefined;
}

/** The options that every criterion has, defaults filled in. */
export interface ResolvedCriterionOptions {
  readonly numClasses: number;
  /** Undefined where every class weighs 1. */
  readonly classWeight: readonly number[] | undefined;
  readonly background: Background;
  readonly ignoreIndex: readonly number[];
  readonly reduction: Reduction;
  readonly lossWeight: number;
  readonly device: Device;
}

const names = [
  'numClasses',
  'classWeight',
  'background',
  'ignoreIndex',
  'reduction',
  'lossWeight',
  'device',
] as const;

/** Rows of per-class arrays stay within 32-bit indices, and a row within reason. */
export const maxClasses = 2 ** 24;

/** A copy of the options given, all of whose names are known; `own` are those of this loss alone. */
export function readOptions<T extends CriterionOptions>(
  options: T,
  own: readonly string[],
): Partial<T> {
  if (options === undefined) reject('options', 'an object with numClasses', options);
  return knownOptions('options', options, [...names, ...own]);
}

/** Checks the options that every criterion has. */
export function resolveCommon(options: Partial<CriterionOptions>): ResolvedCriterionOptions {
  const numClasses = resolveClasses(options.numClasses);
  const background = choiceOption('background', options.background, 'first', backgrounds);
  return {
    numClasses,
    classWeight: resolveClassWeights('classWeight', options.classWeight, numClasses),
    background,
    ignoreIndex: ignoredLabels(options.ignoreIndex, background, numClasses),
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

/** A weight for each class; undefined where none are given. */
export function resolveClassWeights(
  argument: string,
  value: unknown,
  numClasses: number,
): readonly number[] | undefined {
  if (value === undefined) return undefined;
  return classValues(
    argument,
    value,
    numClasses,
    'a finite number >= 0',
    (weight) => weight >= 0 && isFiniteFloat32(weight),
  );
}
