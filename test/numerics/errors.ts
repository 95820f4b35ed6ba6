/** How far the library is off the float64 reference on a set of logits. */
import type { Criterion, HostTensor } from '../../lib';
import type { ReferenceCriterion, ReferenceOutput } from '../reference/criterion';
import { criterionOf, isStateful, makeQuality, qualityCall } from '../reference/family';
import type { CommonOptions, Member } from '../reference/family';
import { halvesOf, numbersOf } from '../reference/half';
import type { HalfType } from '../reference/half';
import { valuesOf } from '../reference/harness';
import { FINITE_EXTREMES, makeLabels } from '../reference/inputs';
import { Random } from '../reference/random';

// As constants: a look at a global is slow in the sandbox of the test runner.
const { abs, max } = Math;

export type FloatType = 'float32' | HalfType;
/** `learnt`: as those of negatives that have been learnt. */
export type Source = 'normal' | 'learnt' | 'uniform' | 'extreme';

export interface Subject {
  readonly one: Member;
  readonly source: Source;
  readonly type: FloatType;
  /** Targets between 0 and 1 in place of labels. */
  readonly soft?: boolean;
}

/** The largest errors: relative ones, but `smallGradient`, which is absolute. */
export interface Errors {
  readonly element: number;
  readonly gradient: number;
  /** Of gradients below `leastGradient`, which have fewer digits or none. */
  readonly smallGradient: number;
  readonly loss: number;
  /** Undefined for a loss without state. */
  readonly statistics: number | undefined;
}

// A prime, so that some registers are not full.
const NUM_CLASSES = 61;
const ROWS = 64;
const CALLS = 8;
/** Above the subnormal numbers of float32, whatever the weight of an element. */
const LEAST = 1e-36;

/** The smallest normal number of float16; its gradients below have fewer digits. */
function leastGradient(type: FloatType): number {
  return type === 'float16' ? 2 ** -14 : LEAST;
}

const UP_TO_1E4 = FINITE_EXTREMES.filter((x) => abs(x) <= 1e4);

function drawLogits(source: Source, random: Random): Float32Array {
  const draw = {
    normal: () => random.normal(-1, 3),
    learnt: () => random.normal(-8, 2),
    uniform: () => random.uniform(-100, 100),
    extreme: () => UP_TO_1E4[random.integer(UP_TO_1E4.length)]!,
  }[source];
  return Float32Array.from({ length: ROWS * NUM_CLASSES }, draw);
}

interface Call {
  readonly logits: Float32Array | HostTensor;
  readonly targets: Int32Array | Float32Array;
  readonly quality: { quality?: Float32Array };
  readonly expected: ReferenceOutput;
}

function prepareCall({ one, source, type, soft = false }: Subject, seed: number): Call {
  const random = new Random(seed);
  const drawn = drawLogits(source, random);
  const bits = type === 'float32' ? undefined : halvesOf(drawn, type);
  const numbers = bits ? numbersOf(bits, type as HalfType) : drawn;
  const labels = makeLabels(random, ROWS, NUM_CLASSES);
  const dense = Float32Array.from(drawn, () => random.next());
  const quality = soft ? {} : qualityCall(one, makeQuality(seed, ROWS));
  const expected = referenceOf(one).forward(numbers, soft ? { dense } : labels, quality);
  const logits = bits ? { data: bits, shape: [ROWS, NUM_CLASSES], dtype: type } : drawn;
  return { logits, targets: soft ? dense : labels, quality, expected };
}

function create(one: Member, reduction: 'sum' | 'none'): Criterion {
  return criterionOf(one, { numClasses: NUM_CLASSES, reduction } satisfies CommonOptions);
}

function referenceOf(one: Member): ReferenceCriterion {
  const reference = one.reference({ numClasses: NUM_CLASSES });
  const criterion = create(one, 'sum');
  if (isStateful(criterion)) {
    reference.load(criterion.stateDict());
  }
  return reference;
}

/** The largest relative error of values of at least this size. */
function relative(actual: ArrayLike<number>, expected: Float64Array, least = LEAST): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i += 1) {
    const size = abs(expected[i]!);
    if (size >= least) {
      worst = max(worst, abs(actual[i]! - expected[i]!) / size);
    }
  }
  return worst;
}

/** The largest absolute error of smaller values. */
function absolute(actual: ArrayLike<number>, expected: Float64Array, below: number): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i += 1) {
    if (abs(expected[i]!) < below) {
      worst = max(worst, abs(actual[i]! - expected[i]!));
    }
  }
  return worst;
}

function errorsOfCall(
  { one, type }: Subject,
  { logits, targets, quality, expected }: Call,
): Errors {
  const { elements } = create(one, 'none').forward(logits, targets, quality);
  const criterion = create(one, 'sum');
  const { loss, grad } = criterion.forwardBackward(logits, targets, quality);
  const gradient = valuesOf(grad);
  const sums = isStateful(criterion) ? criterion.statistics : undefined;
  return {
    element: relative(valuesOf(elements!), expected.elements),
    gradient: relative(gradient, expected.grad, leastGradient(type)),
    smallGradient: absolute(gradient, expected.grad, leastGradient(type)),
    loss: abs(loss / expected.loss - 1),
    statistics:
      sums &&
      max(relative(sums.positive, expected.positive), relative(sums.negative, expected.negative)),
  };
}

/** The largest of each error. */
export function worstOf(all: readonly Errors[]): Errors {
  const worst = (part: keyof Errors): number => max(...all.map((errors) => errors[part] ?? 0));
  return {
    element: worst('element'),
    gradient: worst('gradient'),
    smallGradient: worst('smallGradient'),
    loss: worst('loss'),
    statistics: all.some(({ statistics }) => statistics !== undefined)
      ? worst('statistics')
      : undefined,
  };
}

/** Computes the reference once; what it returns measures with the kernels chosen at the time. */
export function prepare(subject: Subject): () => Errors {
  const calls = Array.from({ length: CALLS }, (_, seed) => prepareCall(subject, 9000 + seed));
  return () => worstOf(calls.map((call) => errorsOfCall(subject, call)));
}
