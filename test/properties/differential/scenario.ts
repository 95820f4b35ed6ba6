/** Arbitrary criteria, and calls on each one after another. */

import fc from 'fast-check';
import type { ReferenceOptions } from '../../reference/criterion';
import type { HalfType } from '../../reference/half';
import type { LossKind } from '../../reference/kinds';
import type { Arrangement, LevelSize } from '../../reference/layout';
import { Random } from '../../reference/random';
import { alpha, equalizedGamma, factor, gamma, positiveFactor, scaleFactor } from '../support';

export type Options = ReferenceOptions;

/** What stands between the rows and the arrays that a call is made with. */
export type Form = 'bare' | 'rows' | 'map' | 'list';
export type DType = 'float32' | HalfType;
export type Method =
  'forward' | 'forwardBackward' | 'into' | 'inPlace' | 'transfer' | 'collectGrad';

/** One call. */
export interface Plan {
  readonly method: Method;
  readonly asynchronous: boolean;
  readonly form: Form;
  readonly dtype: DType;
  readonly sizes: readonly LevelSize[];
  readonly arrangement: Arrangement;
  readonly targets: 'labels' | 'oneHot' | 'soft';
  readonly labelsAreTyped: boolean;
  readonly seed: number;
  readonly mean: number;
  readonly deviation: number;
  /** One in so many logits is an extreme one, finite or not. */
  readonly extremes: number | undefined;
  readonly nonFinite: boolean;
  readonly normalizer: number | 'positives' | 'weights' | undefined;
  readonly gradOutput: number | 'elements' | undefined;
  readonly lossScale: number | undefined;
  readonly collect: boolean | 'defer' | undefined;
  readonly equalize: boolean | undefined;
  /** One bad label, target, weight or quality. */
  readonly spoilt: boolean;
  /** Whether rows have weights, and whether elements, or all of a class, are left out. */
  readonly weighted: boolean;
  readonly masked: boolean;
  readonly classesMasked: boolean;
}

export interface Scenario {
  readonly kind: LossKind;
  readonly options: Options;
  readonly plans: readonly Plan[];
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const double = (min: number, max: number): fc.Arbitrary<number> =>
  fc.double({ min, max, noNaN: true });

/** Left out, as often as not. */
function maybe<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(value, { nil: undefined, freq: 1 });
}

function oneIn(count: number): fc.Arbitrary<boolean> {
  return fc.integer({ min: 1, max: count }).map((draw) => draw === count);
}

/** A value for each class, some of them 0. */
function classValues(most: number): fc.Arbitrary<(numClasses: number) => number[]> {
  return seeds.map((seed) => (numClasses) => {
    const random = new Random(seed);
    return Array.from({ length: numClasses }, () =>
      random.integer(6) === 0 ? 0 : random.uniform(0, most),
    );
  });
}

/** From 0 to less than 1; 0 is the default. */
const belowOne = fc.oneof(double(0, 0.999), fc.constantFrom(0, 0.1));

/** How often each class is there. */
const classCounts = seeds.map((seed) => (numClasses: number) => {
  const random = new Random(seed);
  return Array.from({ length: numClasses }, () => 1 + random.integer(10_000));
});

const common = fc.record({
  numClasses: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 70 })),
  background: fc.constantFrom(undefined, 'first', 'last', 'none'),
  reduction: fc.constantFrom(undefined, 'sum', 'mean', 'none'),
  lossWeight: maybe(factor),
  ignoreIndex: fc.constantFrom(undefined, -1, 1000, [], [-100], [255, -1]),
  classWeight: maybe(classValues(3)),
  positiveThreshold: maybe(belowOne),
  posWeight: fc.option(fc.oneof(double(0, 5), classValues(3)), { nil: undefined, freq: 2 }),
});

const smoothing = { labelSmoothing: maybe(belowOne) };

const alphas = maybe(fc.oneof(alpha, classValues(1)));
const varifocal = {
  alpha: maybe(double(0, 2)),
  iouWeighted: maybe(fc.boolean()),
  detachWeight: maybe(fc.boolean()),
  ignoreZeroQuality: maybe(fc.boolean()),
};
const qualityGamma = fc.oneof(double(1, 6), fc.constantFrom(1, 2));

const statistics = {
  halfLife: maybe(double(0.1, 50)),
  startAfter: maybe(fc.integer({ min: 0, max: 2 })),
};

const OWN: Readonly<Record<LossKind, fc.Arbitrary<object>>> = {
  focal: fc.record({ gamma: maybe(gamma), alpha: alphas, ...smoothing }),
  equalizedFocal: fc.record({
    gamma: maybe(equalizedGamma),
    alpha: alphas,
    scaleFactor: maybe(scaleFactor),
    ...smoothing,
    ...statistics,
  }),
  qualityFocal: fc.record({ gamma: maybe(qualityGamma), alpha: alphas }),
  equalizedQualityFocal: fc.record({
    gamma: maybe(qualityGamma),
    alpha: alphas,
    scaleFactor: maybe(scaleFactor),
    ...statistics,
  }),
  equalizationV2: fc.record({
    ...statistics,
    mapSteepness: maybe(double(0.5, 20)),
    mapMidpoint: maybe(double(-1, 2)),
    positiveGain: maybe(double(0, 8)),
    objectness: maybe(fc.boolean()),
    ...smoothing,
  }),
  equalization: fc.record({
    classFrequencies: classValues(0.05),
    threshold: maybe(double(0, 0.1)),
    ...smoothing,
  }),
  adaptiveClassSuppression: fc.record({
    scoreThreshold: maybe(double(0.01, 0.99)),
    backgroundWeight: maybe(classValues(2)),
    ...smoothing,
  }),
  varifocal: fc.record({ ...varifocal, gamma: maybe(gamma) }),
  equalizedVarifocal: fc.record({
    ...varifocal,
    gamma: maybe(equalizedGamma),
    scaleFactor: maybe(scaleFactor),
    ...statistics,
  }),
  iouAwareBce: fc.record({ gamma: maybe(gamma), alpha: maybe(double(0, 1)) }),
  matchability: fc.record({ gamma: maybe(equalizedGamma), alpha: maybe(double(0, 2)) }),
  asymmetric: fc.record({
    gammaPositive: maybe(gamma),
    gammaNegative: maybe(fc.oneof(qualityGamma, fc.constantFrom(0, 4))),
    margin: maybe(fc.oneof(double(0.001, 0.5), fc.constant(0))),
    detachWeight: maybe(fc.boolean()),
  }),
  classMargin: fc.record({
    classCounts: classCounts,
    backgroundRatio: maybe(double(0.1, 10)),
    objectness: maybe(fc.boolean()),
  }),
};

const sizes = fc.integer({ min: 1, max: 2 }).chain((images) =>
  fc.array(
    fc.record({
      images: fc.constant(images),
      height: fc.integer({ min: 0, max: 4 }),
      width: fc.integer({ min: 1, max: 7 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
);

const plan: fc.Arbitrary<Plan> = fc.record({
  method: fc.constantFrom<Method>(
    'forwardBackward',
    'forwardBackward',
    'forward',
    'into',
    'inPlace',
    'transfer',
    'collectGrad',
  ),
  asynchronous: fc.boolean(),
  form: fc.constantFrom<Form>('bare', 'rows', 'map', 'list'),
  dtype: fc.constantFrom<DType>('float32', 'float16', 'bfloat16'),
  sizes,
  arrangement: fc.record({
    layout: fc.constantFrom('NHWC', 'NCHW'),
    anchors: fc.integer({ min: 1, max: 3 }),
    channelOrder: fc.constantFrom('anchor-major', 'class-major'),
  }),
  targets: fc.constantFrom('labels', 'labels', 'oneHot', 'soft'),
  labelsAreTyped: fc.boolean(),
  seed: seeds,
  mean: fc.integer({ min: -12, max: 4 }),
  deviation: fc.integer({ min: 0, max: 20 }),
  extremes: maybe(fc.integer({ min: 1, max: 40 })),
  nonFinite: fc.integer({ min: 0, max: 3 }).map((draw) => draw === 3),
  normalizer: maybe(
    fc.oneof(positiveFactor, fc.constantFrom('positives' as const, 'weights' as const)),
  ),
  gradOutput: maybe(fc.oneof(factor, fc.constantFrom(0, 'elements' as const))),
  lossScale: maybe(fc.oneof(factor, fc.constantFrom(65536, 2 ** -20))),
  collect: fc.constantFrom(undefined, undefined, undefined, true, false, 'defer' as const),
  equalize: maybe(fc.boolean()),
  spoilt: fc.integer({ min: 0, max: 9 }).map((draw) => draw === 9),
  weighted: oneIn(3),
  masked: oneIn(4),
  classesMasked: oneIn(4),
});

export const scenario: fc.Arbitrary<Scenario> = fc
  .constantFrom(...(Object.keys(OWN) as LossKind[]))
  .chain((kind) =>
    fc.record({
      kind: fc.constant(kind),
      options: fc.tuple(common, OWN[kind]).map(([shared, own]) => resolve({ ...shared, ...own })),
      plans: fc.array(plan, { minLength: 1, maxLength: 4 }),
    }),
  );

/** Values for each class are functions of their number up to here; what is left out is not there. */
function resolve(drawn: Readonly<Record<string, unknown>>): Options {
  const numClasses = drawn['numClasses'] as number;
  const resolved = Object.entries(drawn)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]): [string, unknown] => [
      name,
      typeof value === 'function' ? (value as (count: number) => number[])(numClasses) : value,
    ]);
  return Object.fromEntries(resolved) as unknown as Options;
}
