import { hostArrayDevice, resolveDevice, type Device } from '../backends';
import type { LossOption, NativeOptions } from '../binding/addon';
import { addon } from '../binding/load';
import { fromNative } from '../binding/native-failure';
import { Float64Array, Int32Array } from '../intrinsics';
import { classValues, isClassValues, type ClassValues } from '../tensors/class-values';
import { backgrounds, ignoredLabels, type Background } from '../tensors/labels';
import { withMemory } from '../tensors/spare-memory';
import { booleanOption, choiceOption, knownOptions, reject } from '../validation';

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
  /**
   * One more factor on positives: one number, or one for each class. Finite, >= 0. For targets of 0
   * and 1 it is PyTorch's `pos_weight`. A target y between 0 and 1 weighs y times as a positive does
   * and 1 - y times as a negative does; PyTorch weighs the part of y in the cross-entropy alone. In
   * the varifocal losses, IouAwareBceLoss and MatchabilityAwareLoss a match weighs as a positive
   * altogether, whatever its quality. Default 1.
   */
  readonly posWeight?: number | ClassValues | undefined;
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
  /**
   * With dense targets an element is a positive where its target is larger, compared in float32:
   * for `normalizer: 'positives'`, for what is a row with a class, and for the statistics. The loss
   * of an element takes its target as it is. In [0, 1). Default 0.
   */
  readonly positiveThreshold?: number | undefined;
  /** Where host arrays are computed. Default `'auto'`. */
  readonly device?: Device | undefined;
}

/** The options that every criterion has, defaults filled in. */
export interface ResolvedCriterionOptions {
  readonly numClasses: number;
  /** Undefined where every class weighs 1. */
  readonly classWeight: readonly number[] | undefined;
  readonly posWeight: number | readonly number[];
  readonly background: Background;
  readonly ignoreIndex: readonly number[];
  readonly reduction: Reduction;
  readonly lossWeight: number;
  readonly positiveThreshold: number;
  readonly device: Device;
}

/** Options of the losses whose targets can be smoothed: the focal losses and those of Equalization Loss. */
export interface SmoothingOptions extends CriterionOptions {
  /**
   * Label smoothing: targets y, of labels or dense, become (1 - labelSmoothing) y + labelSmoothing / C
   * for loss and gradient. What is positive follows from y. In [0, 1). Default 0.
   */
  readonly labelSmoothing?: number | undefined;
}

/** These options, defaults filled in. */
export interface ResolvedSmoothingOptions extends ResolvedCriterionOptions {
  readonly labelSmoothing: number;
}

/** The names that come first in what people read; those of a loss alone follow. */
const common = [
  'numClasses',
  'classWeight',
  'posWeight',
  'background',
  'ignoreIndex',
  'reduction',
  'lossWeight',
];

/** The options of a loss, defaults filled in: for people, and in the addon's terms. */
export interface Resolution<Options> {
  readonly options: Options;
  readonly native: NativeOptions;
}

/**
 * Reads the options of a loss, each once. Here their names and types are checked; their values are
 * checked by core.
 */
export function resolveOptions<Options extends ResolvedCriterionOptions>(
  family: string,
  given: CriterionOptions,
): Resolution<Options> {
  if (given === undefined) reject('options', 'an object with numClasses', given);
  const { codes } = addon();
  const known = optionsOf(family);
  const names = [...new Set([...common, 'device', ...known.keys()])];
  const read = knownOptions<Record<string, unknown>>(
    'options',
    given as unknown as Record<string, unknown>,
    names,
  );
  // What somebody gave Object.prototype is none of their properties.
  const resolved = Object.create(null) as Record<string, unknown>;
  const native = Object.create(null) as Record<string, NativeOptions[string]>;
  for (const name of names) {
    const options = known.get(name);
    if (options) {
      const value = readOption(family, options, read[name], resolved['numClasses']);
      resolved[name] = value;
      native[name] = typeof value === 'object' ? perClass(value) : value;
    } else {
      resolved[name] = readOther[name]!(read[name]);
    }
  }
  const options = { ...resolved } as unknown as Options;
  const { background, ignoreIndex, reduction, device } = options;
  return {
    options,
    native: {
      ...native,
      background: codes.background[background],
      ignoreIndex: Int32Array.from(ignoreIndex),
      reduction: codes.reduction[reduction],
      device: hostArrayDevice(device),
    },
  };
}

/** The options that are names and labels, and so no numbers that core has a range for. */
const readOther: Readonly<Record<string, (value: unknown) => unknown>> = {
  background: (value) => choiceOption('background', value, 'first', backgrounds),
  ignoreIndex: ignoredLabels,
  reduction: (value) => choiceOption('reduction', value, 'sum', reductions),
  device: resolveDevice,
};

/** What an error says could not be allocated. */
export function nameOfState(numClasses: unknown): string {
  return `The state of ${String(numClasses)} classes`;
}

type OptionValue = number | boolean | readonly number[];

const optionsOfFamilies = new Map<string, ReadonlyMap<string, readonly LossOption[]>>();

/** What core says of the options of a loss, by name. */
function optionsOf(family: string): ReadonlyMap<string, readonly LossOption[]> {
  const found = optionsOfFamilies.get(family);
  if (found) return found;
  const options = new Map<string, LossOption[]>();
  for (const option of addon().lossOptions(family)) {
    options.set(option.name, [...(options.get(option.name) ?? []), option]);
  }
  optionsOfFamilies.set(family, options);
  return options;
}

/** An option, which may be one number, or one for each class, or either. */
function readOption(
  family: string,
  options: readonly LossOption[],
  value: unknown,
  numClasses: unknown,
): OptionValue | undefined {
  const list = options.find(({ kind }) => kind === 'perClass');
  const single = options.find(({ kind }) => kind !== 'perClass');
  if (list && (isClassValues(value) || !single)) {
    if (value === undefined && !list.required) return undefined;
    return classValues(list.name, value, numClasses as number, list.expected);
  }
  return readSingle(family, single!, value);
}

function readSingle(
  family: string,
  { name, kind, expected, fallback, required }: LossOption,
  value: unknown,
): number | boolean | undefined {
  if (value === undefined && !required) return fallback;
  if (kind === 'flag') return booleanOption(name, value, false);
  if (typeof value !== 'number') reject(name, expected, value);
  const native = addon();
  fromNative(() => {
    native.checkOption(family, name, value);
  });
  return value;
}

/** An option of a loss that is one number, for functions without a criterion. */
export function numberOption(family: string, name: string, value: unknown): number {
  const option = optionsOf(family)
    .get(name)!
    .find(({ kind }) => kind === 'number')!;
  return readSingle(family, option, value) as number;
}

function perClass(values: readonly number[]): Float64Array {
  return withMemory(() => Float64Array.from(values), nameOfState(values.length));
}
