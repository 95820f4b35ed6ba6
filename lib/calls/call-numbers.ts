/** The options of a call that are one number each: core checks their values in the call block. */
import { codes } from '../binding/codes';
import { addon } from '../binding/load';
import { nativeFailure } from '../binding/native-failure';
import { EflArgumentError } from '../errors';
import { booleanOption, describe, reject } from '../validation';
import { plainNumbers, type GivenCall } from './call-options';
import type { CallNumbers, CallOwner, CountedNormalizer, Reduction } from './checked-call';

/** What is no number is NaN, which core refuses. */
export function numberOf(value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  return typeof value === 'number' ? value : NaN;
}

/** The divisor of the sum, as far as it is not a tensor. */
export function normalizerOf(value: unknown, reduction: Reduction): number | CountedNormalizer {
  if (value !== undefined && reduction !== 'sum') {
    reject('normalizer', `none with reduction '${reduction}'`, value);
  }
  return value === 'positives' || value === 'weights' ? value : numberOf(value, 1);
}

/** Whether an upstream gradient comes as one value for each element, as only 'none' has it. */
export function isPerElement(gradOutput: unknown, reduction: Reduction): boolean {
  return typeof gradOutput === 'object' && gradOutput !== null && reduction === 'none';
}

/** What is to become of the statistics. Those of gradients that are given are what they are given for. */
export function collectOf(value: unknown, gradientsGiven: boolean): number {
  const { none, now, defer } = codes.collect;
  if (value === undefined || value === true) return now;
  if (value === 'defer') return defer;
  if (value === false && !gradientsGiven) return none;
  reject('collect', gradientsGiven ? "true or 'defer'" : "true, false or 'defer'", value);
}

/** Whether the statistics have their part in the loss. */
export function equalizeOf(value: unknown): boolean {
  return booleanOption('equalize', value, true);
}

/** The addon reads them when the call is made. */
export function writeNumbers(owner: CallOwner, call: CallNumbers): void {
  const { block } = addon();
  const { slot, defaults } = codes;
  const { normalizer, upstream, given } = call;
  block[slot.criterion] = owner.native().number;
  const isCounted = typeof normalizer === 'string';
  const number = typeof normalizer === 'number' ? normalizer : 1;
  block[slot.normalizer] = isCounted ? codes.normalizer[normalizer] : number;
  block[slot.countPositives] = isCounted ? 1 : 0;
  block[slot.gradOutput] = typeof upstream === 'number' ? upstream : 1;
  for (let i = 0; i < plainNumbers.length; i++) {
    const name = plainNumbers[i]!;
    block[slot[name]!] = numberOf(given[name], defaults[name]!);
  }
  block[slot.collect] = call.collect;
  block[slot.equalize] = call.equalize ? 1 : 0;
  block[slot.gradientsGiven] = call.gradientsGiven ? 1 : 0;
}

/** Throws where one of them has a value that no call may have. */
export function checkNumbers(owner: CallOwner, call: CallNumbers): void {
  writeNumbers(owner, call);
  try {
    owner.native().checkNumbers();
  } catch (error) {
    throw callFailure(error, call.given);
  }
}

/** What the addon threw, as ours; of a value that core refused it tells what the caller gave. */
export function callFailure(error: unknown, given: GivenCall): unknown {
  const failure = nativeFailure(error);
  if (!(failure instanceof EflArgumentError)) return failure;
  // NaN stands for what is no number.
  const value = (given as Readonly<Record<string, unknown>>)[failure.argument];
  if (failure.received !== 'NaN' || value === undefined) return failure;
  return new EflArgumentError(failure.argument, failure.expected, describe(value));
}
