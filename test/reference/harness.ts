/** What the suites share: calls of the implementation set against the reference. */

import { EflArgumentError, EqualizedFocalLoss, FocalLoss } from '../../lib';
import type { HostTensor, Logits } from '../../lib';
import { elementTolerance, ELEMENT, expectClose, expectSame, STATISTICS } from './compare';
import type { Tolerance } from './compare';
import { ReferenceCriterion } from './criterion';
import type { ReferenceCall, ReferenceCounts, ReferenceOutput } from './criterion';
import { numbersOf } from './half';
import type { HalfType } from './half';
import { classLabel, makeLabels, normalLogits } from './inputs';
import type { LabelShares } from './inputs';
import { Random } from './random';

export type FocalOptions = ConstructorParameters<typeof FocalLoss>[0];
export type EqualizedOptions = ConstructorParameters<typeof EqualizedFocalLoss>[0];
export type Call = NonNullable<Parameters<EqualizedFocalLoss['forwardBackward']>[2]>;
export type AnyCriterion = FocalLoss | EqualizedFocalLoss;

export interface Sample {
  readonly logits: Float32Array;
  readonly labels: Int32Array;
}

/** Seeded logits and labels of one call. */
export function makeSample(
  seed: number,
  rows: number,
  numClasses: number,
  shares: LabelShares = {},
): Sample {
  const random = new Random(seed);
  const logits = normalLogits(random, rows, numClasses);
  return { logits, labels: makeLabels(random, rows, numClasses, shares) };
}

/** Values as the implementation takes and returns them. */
export type Values = Logits;

function isList(values: Values): values is readonly HostTensor[] {
  return Array.isArray(values);
}

/** The numbers of an array, a host tensor, or a list of these one behind the other. */
export function valuesOf(values: Values): Float32Array {
  if (isList(values)) {
    return Float32Array.from(values.flatMap((level) => Array.from(valuesOf(level))));
  }
  const data = 'data' in values ? values.data : values;
  if (data instanceof Uint16Array) {
    return numbersOf(data, (values as HostTensor).dtype as HalfType);
  }
  return data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number>);
}

export interface ImplementationOutput {
  readonly loss: number;
  readonly positives: number;
  readonly ignored: number;
  readonly nonFinite: number;
  readonly elements?: Values | undefined;
  readonly grad?: Values | undefined;
}

export function countsOf({ positives, ignored, nonFinite }: ReferenceCounts): object {
  return { positives, ignored, nonFinite };
}

/** Loss, counts, and the elements and gradient the output has. */
export function expectOutput(output: ImplementationOutput, expected: ReferenceOutput): void {
  expect(countsOf(output)).toEqual(countsOf(expected));
  expectClose('loss', output.loss, expected.loss, ELEMENT);
  const underflow = elementTolerance(expected.largestFactor).absolute as number;
  const tolerance = (scale: Float64Array): Tolerance => ({
    relative: 0,
    absolute: scale.map((size) => Math.max(underflow, ELEMENT.relative * size)),
  });
  if (output.elements !== undefined) {
    const allowed = tolerance(expected.elementScale);
    expectClose('elements', valuesOf(output.elements), expected.elements, allowed);
  }
  if (output.grad !== undefined) {
    expectClose('grad', valuesOf(output.grad), expected.grad, tolerance(expected.gradScale));
  }
}

/** Two outputs of the implementation, equal to the last bit. */
export function expectSameOutput(
  output: ImplementationOutput,
  expected: ImplementationOutput,
): void {
  expect(countsOf(output)).toEqual(countsOf(expected));
  expectSame('loss', output.loss, expected.loss);
  for (const name of ['elements', 'grad'] as const) {
    const values = output[name];
    const wanted = expected[name];
    expect(`${name}: ${typeof values}`).toBe(`${name}: ${typeof wanted}`);
    if (values !== undefined && wanted !== undefined) {
      expectSame(name, valuesOf(values), valuesOf(wanted));
    }
  }
}

export interface Statistics {
  readonly positive: Float64Array;
  readonly negative: Float64Array;
}

export function expectStatistics(actual: Statistics, expected: Statistics): void {
  expectClose('positive sums', actual.positive, expected.positive, STATISTICS);
  expectClose('negative sums', actual.negative, expected.negative, STATISTICS);
}

export interface StateView extends Statistics {
  readonly ratio: Float64Array;
  readonly steps: number;
}

/** A copy of the whole state, to be compared later. */
export function stateOf(
  criterion: Pick<EqualizedFocalLoss, 'statistics' | 'gradientRatio'>,
): StateView {
  const { positive, negative, steps } = criterion.statistics;
  return { positive, negative, steps, ratio: criterion.gradientRatio };
}

export function expectSameState(actual: StateView, expected: StateView): void {
  expect(actual.steps).toBe(expected.steps);
  expectSame('positive sums', actual.positive, expected.positive);
  expectSame('negative sums', actual.negative, expected.negative);
  expectSame('gradient ratio', actual.ratio, expected.ratio);
}

/** Gives the criterion these gradient ratios, by sums of which they are the exact quotients. */
export function loadRatios(criterion: EqualizedFocalLoss, ratios: readonly number[]): void {
  criterion.loadStateDict(ratioState(ratios));
}

export interface StateDict {
  pos_grad: Float64Array;
  neg_grad: Float64Array;
  pos_neg: Float64Array;
}

export function ratioState(ratios: readonly number[]): StateDict {
  const positive = Float64Array.from(ratios);
  return {
    pos_grad: positive,
    neg_grad: new Float64Array(ratios.length).fill(1),
    pos_neg: positive.map((sum) => Math.min(1, sum / (1 + 1e-10))),
  };
}

/** An EFL criterion and its reference, set to the same ratios. */
export function equalizedPair(
  options: EqualizedOptions,
  ratios?: readonly number[],
): { criterion: EqualizedFocalLoss; reference: ReferenceCriterion } {
  const criterion = new EqualizedFocalLoss(options);
  const reference = new ReferenceCriterion(options, 'equalizedFocal');
  if (ratios !== undefined) {
    loadRatios(criterion, ratios);
  }
  reference.load(criterion.stateDict());
  return { criterion, reference };
}

/** One call of forwardBackward by both, compared, statistics included. */
export function compareCall(
  { criterion, reference }: ReturnType<typeof equalizedPair>,
  { logits, labels }: Sample,
  call: Call & ReferenceCall = {},
): ReferenceOutput {
  const before = criterion.statistics;
  reference.load(criterion.stateDict());
  const expected = reference.forwardBackward(logits, labels, call);
  expectOutput(criterion.forwardBackward(logits, labels, call), expected);
  const after = criterion.statistics;
  const collected = call.collect !== false && labels.length > expected.ignored;
  const factor = collected ? 1 : 0;
  expectStatistics(after, {
    positive: before.positive.map((sum, j) => sum + factor * expected.positive[j]!),
    negative: before.negative.map((sum, j) => sum + factor * expected.negative[j]!),
  });
  return expected;
}

/** One call of Focal Loss and of the reference, compared. */
export function compareFocalCall(
  options: FocalOptions,
  { logits, labels }: Sample,
  call: Call & ReferenceCall = {},
): ReferenceOutput {
  const expected = new ReferenceCriterion(options, 'focal').forwardBackward(logits, labels, call);
  expectOutput(new FocalLoss(options).forwardBackward(logits, labels, call), expected);
  return expected;
}

/** An emulated GPU is busy with so much as long as a CPU with some hundred times of it. */
const busyElements = process.env['EFL_CUDA_LIBRARY'] ? 64e3 : 12.8e6;

/**
 * Keeps the executor, which all criteria share, busy for a tenth of a second or more: what is called
 * next waits. The zeros are handed over, so that making the calls takes next to no time.
 */
export function occupy(criterion: AnyCriterion, calls = 16): Promise<unknown[]> {
  const rows = Math.ceil(busyElements / criterion.options.numClasses);
  const { background } = criterion.options;
  const labels = new Int32Array(rows).fill(classLabel(0, background));
  return Promise.all(
    Array.from({ length: calls }, () => {
      const logits = new Float32Array(rows * criterion.options.numClasses);
      return criterion.forwardAsync(logits, labels, { transfer: true });
    }),
  );
}

/** What the action throws; an action that does not throw is an error. */
export function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('expected the call to throw');
}

/** What the promise rejects with; one that does not reject is an error. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected the promise to reject');
}

/** That an error is the argument error of this argument. */
export function expectArgumentError(error: unknown, argument: string | RegExp): EflArgumentError {
  expect(error).toBeInstanceOf(EflArgumentError);
  const refused = error as EflArgumentError;
  expect(refused.argument).toMatch(typeof argument === 'string' ? exactly(argument) : argument);
  return refused;
}

export function expectRefused(action: () => unknown, argument: string | RegExp): EflArgumentError {
  return expectArgumentError(thrownBy(action), argument);
}

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
}

/** A value of a type the contract rules out, as plain JavaScript could pass it. */
export function wrong(value: unknown): never {
  return value as never;
}
