import { EflArgumentError } from '../errors';
import { isClassValues } from '../tensors/class-values';
import { newFloat64Array } from '../tensors/new-arrays';
import { knownOptions, listOf, reject } from '../validation';
import { printable } from './printable';

/** What an equalized criterion has seen of each class, as copies. */
export interface Statistics {
  /** Sum of |gradient| over the class's positives, in all steps. */
  readonly positive: Float64Array;
  /** The same over its negatives. */
  readonly negative: Float64Array;
  /** Steps whose statistics are in these sums: calls, and commits of deferred ones. */
  readonly steps: number;
}

/** The state under the names it has in PyTorch checkpoints of the official implementation. */
export interface StateDict {
  /** Sum of |gradient| over positives, one value for each class. */
  readonly pos_grad: Float64Array;
  /** The same over negatives. */
  readonly neg_grad: Float64Array;
  /**
   * g_j = clamp(pos_grad / (neg_grad + 1e-10), 0, 1), initially 1; of `EqualizationLossV2` without
   * the clamp, initially 100.
   */
  readonly pos_neg: Float64Array;
  /** Steps whose statistics are in these sums. Not in PyTorch checkpoints. */
  readonly steps: number;
  /** The option `halfLife`, 0 without one. Not in PyTorch checkpoints. */
  readonly half_life: number;
  /** The option `startAfter`. Not in PyTorch checkpoints. */
  readonly start_after: number;
}

/** The state without the options it came about with. */
export type State = Omit<StateDict, 'half_life' | 'start_after'>;

type Values = Float64Array | Float32Array | readonly number[];

/** A state to load. `steps`, which PyTorch checkpoints do not have, is 0 where it is left out. */
export interface LoadableState {
  readonly pos_grad: Values;
  readonly neg_grad: Values;
  readonly pos_neg: Values;
  readonly steps?: number | undefined;
  /** Where it is there, that of the criterion. */
  readonly half_life?: number | undefined;
  /** Likewise. */
  readonly start_after?: number | undefined;
}

/** The options that a state comes about with, as states have them. */
export type StateSettings = Pick<StateDict, 'half_life' | 'start_after'>;

/** A state that was read, from wherever: the settings may be unknown. */
export type ReadState = State & Partial<StateSettings>;

export function settingsOf(options: {
  readonly halfLife: number | undefined;
  readonly startAfter: number;
}): StateSettings {
  return { half_life: options.halfLife ?? 0, start_after: options.startAfter };
}

/** Options of `loadState` and `loadStateDict`. */
export interface LoadStateOptions {
  /**
   * What stands before the names of the vectors in the checkpoint of a model, for example
   * `'head.cls_loss.'`. Default: nothing.
   */
  readonly prefix?: string | undefined;
}

export const stateNames = ['pos_grad', 'neg_grad', 'pos_neg'] as const;

/** What the ratios of a criterion can be, and what they are before it has seen anything. */
export interface RatioRange {
  readonly initial: number;
  readonly largest: number;
}

/** By the rule that the statistics follow; only Equalization Loss v2 lets the ratio pass 1. */
export const ratioRanges: ReadonlyMap<string, RatioRange> = new Map([
  ['equalizedFocal', { initial: 1, largest: 1 }],
  ['equalizationV2', { initial: 100, largest: Number.MAX_VALUE }],
]);

/** The options of loading, checked. */
export function checkLoadOptions(options: LoadStateOptions | undefined): { prefix: string } {
  const { prefix = '' } = knownOptions('options', options, ['prefix']);
  if (typeof prefix !== 'string') reject('prefix', 'a text', prefix);
  return { prefix };
}

/** Checks a state for a criterion of `numClasses` classes, before anything changes. */
export function checkState(
  value: unknown,
  numClasses: number,
  { largest }: RatioRange,
  prefix = '',
): ReadState {
  if (typeof value !== 'object' || value === null) {
    reject('state', `an object with ${stateNames.join(', ')}`, value);
  }
  const state = value as Readonly<Record<string, unknown>>;
  const valuesOf = (name: string, most = Number.MAX_VALUE): Float64Array => {
    const found = state[prefix + name];
    if (found === undefined) rejectMissing(prefix + name, Object.keys(state));
    return checkValues(`state.${prefix}${name}`, found, numClasses, most);
  };
  return {
    pos_grad: valuesOf('pos_grad'),
    neg_grad: valuesOf('neg_grad'),
    pos_neg: valuesOf('pos_neg', largest),
    steps: checkSteps(`state.${prefix}steps`, state[`${prefix}steps`]),
    ...checkedSettings((name) => state[prefix + name], prefix),
  };
}

/** The settings of a state, where they are there. */
function checkedSettings(
  read: (name: keyof StateSettings) => unknown,
  prefix: string,
): Partial<StateSettings> {
  const found: { -readonly [Name in keyof StateSettings]?: number } = {};
  for (const [name, expected] of settingRanges) {
    const value = read(name);
    if (value === undefined) continue;
    if (!isSetting(name, value)) reject(`state.${prefix}${name}`, expected, value);
    found[name] = value;
  }
  return found;
}

const settingRanges = [
  ['half_life', 'a finite number > 0, or 0 for none'],
  ['start_after', 'an integer >= 0'],
] as const;

export function isSetting(name: keyof StateSettings, value: unknown): value is number {
  const isNumber = typeof value === 'number' && Number.isFinite(value) && value >= 0;
  return isNumber && (name === 'half_life' || Number.isInteger(value));
}

/** The first setting of a state that is not that of the criterion it is to be loaded into. */
export function otherSetting(
  state: Partial<StateSettings>,
  own: StateSettings,
): keyof StateSettings | undefined {
  const names = ['half_life', 'start_after'] as const;
  return names.find((name) => state[name] !== undefined && state[name] !== own[name]);
}

/** Refuses a state that came about with other settings than those of the criterion. */
export function checkSettings(
  state: Partial<StateSettings>,
  own: StateSettings,
  prefix: string,
): void {
  const name = otherSetting(state, own);
  if (name) reject(`state.${prefix}${name}`, `${own[name]}, as of this criterion`, state[name]);
}

function rejectMissing(name: string, names: readonly string[]): never {
  const expected = 'a Float64Array, a Float32Array or an array of numbers';
  throw new EflArgumentError(`state.${name}`, expected, `undefined${otherVectors(names)}`);
}

/** What may have been meant where a vector is missing: vectors of these names behind a prefix. */
export function otherVectors(names: readonly string[]): string {
  const found = names.filter((name) => stateNames.some((wanted) => name.endsWith(wanted)));
  if (found.length === 0) return '';
  const all = new Set(found); // a model can have any number of names
  const prefix = found
    .filter((name) => name.endsWith(stateNames[0]))
    .map((name) => name.slice(0, -stateNames[0].length))
    .find((start) => stateNames.every((wanted) => all.has(start + wanted)));
  const advice = prefix ? `: give the option prefix, '${printable(prefix, 200)}' for example` : '';
  const listed = found.slice(0, mostListed).map((name) => printable(name, 200));
  return `; there is ${listed.join(', ')}${found.length > mostListed ? ', ..' : ''}${advice}`;
}

const mostListed = 9;

/**
 * The first class whose ratio is not what follows from its sums; -1 where there is none. Sums of
 * float32, and ratios computed in it, agree to seven digits.
 */
export function contradiction(state: State, { initial, largest }: RatioRange): number {
  return state.pos_neg.findIndex((ratio, j) => {
    const [positive, negative] = [state.pos_grad[j]!, state.neg_grad[j]!];
    if (positive === 0 && negative === 0 && ratio === initial) return false;
    const expected = Math.min(largest, positive / (negative + 1e-10));
    return !(Math.abs(ratio - expected) <= 1e-6 * expected + 1e-30);
  });
}

/** Checks statistics to be merged into a criterion of this name and number of classes. */
export function checkStatistics(value: unknown, numClasses: number, name: string): Statistics {
  if (typeof value !== 'object' || value === null) {
    reject('other', `an ${name} or its statistics`, value);
  }
  const { positive, negative, steps } = value as Partial<Statistics>;
  return {
    positive: checkValues('other.positive', positive, numClasses, Number.MAX_VALUE),
    negative: checkValues('other.negative', negative, numClasses, Number.MAX_VALUE),
    steps: checkSteps('other.steps', steps),
  };
}

/** Refuses statistics whose sums with those there are would leave the range of float64. */
export function checkSums(own: Statistics, other: Statistics): void {
  for (const name of ['positive', 'negative'] as const) {
    own[name].forEach((sum, index) => {
      if (!Number.isFinite(sum + other[name][index]!)) {
        const expected = 'a number that keeps the sum finite';
        reject(`other.${name}[${index}]`, expected, other[name][index]);
      }
    });
  }
}

function checkValues(
  argument: string,
  value: unknown,
  numClasses: number,
  most: number,
): Float64Array {
  if (!isClassValues(value)) {
    reject(argument, 'a Float64Array, a Float32Array or an array of numbers', value);
  }
  const values = listOf(value, numClasses);
  if (values?.length !== numClasses) {
    reject(argument, `${numClasses} values, one for each class`, value);
  }
  const range = most === 1 ? 'numbers in [0, 1]' : 'finite numbers >= 0';
  const checked = newFloat64Array(numClasses, 'The state');
  values.forEach((number, index) => {
    if (typeof number !== 'number' || !(number >= 0 && number <= most)) {
      reject(`${argument}[${index}]`, range, number);
    }
    checked[index] = number;
  });
  return checked;
}

function checkSteps(argument: string, value: unknown): number {
  if (value === undefined) return 0;
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    reject(argument, 'an integer from 0 to 2^53 - 1', value);
  }
  return value as number;
}
