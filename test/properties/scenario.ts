/** Arbitrary criteria and calls on them one after another, run beside the reference. */

import fc from 'fast-check';
import {
  AdaptiveClassSuppressionLoss,
  EflArgumentError,
  EqualizationLoss,
  EqualizationLossV2,
  EqualizedFocalLoss,
  EqualizedQualityFocalLoss,
  FocalLoss,
  QualityFocalLoss,
} from '../../lib';
import type { Criterion, HostTensor } from '../../lib';
import { elementTolerance, ELEMENT, expectClose, onGpu, STATISTICS } from '../reference/compare';
import { ReferenceCriterion } from '../reference/criterion';
import type { ReferenceOptions, ReferenceOutput } from '../reference/criterion';
import { isStateful, makeQuality } from '../reference/family';
import { halvesOf, numbersOf } from '../reference/half';
import type { HalfType } from '../reference/half';
import { countsOf, expectSameState, stateOf, valuesOf } from '../reference/harness';
import type { ImplementationOutput, StateView, Values } from '../reference/harness';
import { FINITE_EXTREMES, makeLabels, NON_FINITE, normalLogits } from '../reference/inputs';
import { cutByLevel, intoMap, intoRows, rowCount, shapeOf } from '../reference/layout';
import type { Arrangement, Level, LevelSize } from '../reference/layout';
import { arrangementCall, totalRows } from '../reference/maps';
import { KINDS } from '../reference/kinds';
import type { LossKind } from '../reference/kinds';
import { Random } from '../reference/random';
import { columnsOf } from '../reference/targets';
import { alpha, equalizedGamma, factor, gamma, positiveFactor, scaleFactor } from './support';

type Options = ReferenceOptions;

/** What stands between the rows and the arrays that a call is made with. */
type Form = 'bare' | 'rows' | 'map' | 'list';
type DType = 'float32' | HalfType;
type Method = 'forward' | 'forwardBackward' | 'into' | 'inPlace' | 'transfer' | 'collectGrad';

interface Plan {
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
  readonly normalizer: number | 'positives' | undefined;
  readonly gradOutput: number | 'elements' | undefined;
  readonly lossScale: number | undefined;
  readonly collect: boolean | undefined;
  /** One bad label, target or quality. */
  readonly spoilt: boolean;
}

export interface Scenario {
  readonly kind: LossKind;
  readonly options: Options;
  readonly plans: readonly Plan[];
}

const LOSSES: Readonly<Record<LossKind, new (options: never) => Criterion>> = {
  focal: FocalLoss,
  equalizedFocal: EqualizedFocalLoss,
  qualityFocal: QualityFocalLoss,
  equalizedQualityFocal: EqualizedQualityFocalLoss,
  equalizationV2: EqualizationLossV2,
  equalization: EqualizationLoss,
  adaptiveClassSuppression: AdaptiveClassSuppressionLoss,
};

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const double = (min: number, max: number): fc.Arbitrary<number> =>
  fc.double({ min, max, noNaN: true });

/** Left out, as often as not. */
function maybe<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(value, { nil: undefined, freq: 1 });
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

const common = fc.record({
  numClasses: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 70 })),
  background: fc.constantFrom(undefined, 'first', 'last', 'none'),
  reduction: fc.constantFrom(undefined, 'sum', 'mean', 'none'),
  lossWeight: maybe(factor),
  ignoreIndex: fc.constantFrom(undefined, -1, 1000, [], [-100], [255, -1]),
  classWeight: maybe(classValues(3)),
});

const alphas = maybe(fc.oneof(alpha, classValues(1)));
const qualityGamma = fc.oneof(double(1, 6), fc.constantFrom(1, 2));

const OWN: Readonly<Record<LossKind, fc.Arbitrary<object>>> = {
  focal: fc.record({ gamma: maybe(gamma), alpha: alphas }),
  equalizedFocal: fc.record({
    gamma: maybe(equalizedGamma),
    alpha: alphas,
    scaleFactor: maybe(scaleFactor),
  }),
  qualityFocal: fc.record({ gamma: maybe(qualityGamma) }),
  equalizedQualityFocal: fc.record({
    gamma: maybe(qualityGamma),
    scaleFactor: maybe(scaleFactor),
  }),
  equalizationV2: fc.record({
    mapSteepness: maybe(double(0.5, 20)),
    mapMidpoint: maybe(double(-1, 2)),
    positiveGain: maybe(double(0, 8)),
    objectness: maybe(fc.boolean()),
  }),
  equalization: fc.record({
    classFrequencies: classValues(0.05),
    threshold: maybe(double(0, 0.1)),
  }),
  adaptiveClassSuppression: fc.record({
    scoreThreshold: maybe(double(0.01, 0.99)),
    backgroundWeight: maybe(classValues(2)),
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
  normalizer: maybe(fc.oneof(positiveFactor, fc.constant('positives' as const))),
  gradOutput: maybe(fc.oneof(factor, fc.constantFrom(0, 'elements' as const))),
  lossScale: maybe(fc.oneof(factor, fc.constantFrom(65536, 2 ** -20))),
  collect: maybe(fc.boolean()),
  spoilt: fc.integer({ min: 0, max: 9 }).map((draw) => draw === 9),
});

export const scenario: fc.Arbitrary<Scenario> = fc
  .constantFrom(...(Object.keys(LOSSES) as LossKind[]))
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

/** Arrays of a call as rows, and what they become in its form. */
class Sample {
  readonly plan: Plan;
  readonly rows: number;
  readonly columns: number;
  readonly logits: Float32Array;
  readonly labels: Int32Array;
  readonly dense: Float32Array | undefined;
  readonly quality: Float32Array | undefined;
  readonly upstream: Float32Array;
  readonly levels: readonly Level[];

  constructor(plan: Plan, { kind, options }: Scenario) {
    const { seed, form, arrangement, targets } = plan;
    this.plan = plan;
    const random = new Random(seed);
    const sizes = form === 'list' ? plan.sizes : plan.sizes.slice(0, 1);
    this.columns = columnsOf(options);
    this.rows = totalRows(sizes, arrangement.anchors);
    this.levels = sizes.map((size) => ({ ...size, ...arrangement, columns: this.columns }));
    this.logits = this.fill(random);
    const size = this.logits.length;
    this.upstream = Float32Array.from({ length: size }, () => random.uniform(-2, 2));
    this.dense =
      targets === 'labels' || plan.method === 'collectGrad'
        ? undefined
        : Float32Array.from({ length: size }, () => shareOf(random, targets === 'soft'));
    this.labels = labelsOf(seed, this.rows, options);
    const takesQuality = kind === 'qualityFocal' || kind === 'equalizedQualityFocal';
    const isRated = takesQuality && this.dense === undefined && plan.method !== 'collectGrad';
    this.quality = isRated ? makeQuality(seed, this.rows) : undefined;
  }

  private fill(random: Random): Float32Array {
    const { extremes, nonFinite, mean, deviation, dtype } = this.plan;
    const pool = nonFinite ? [...FINITE_EXTREMES, ...NON_FINITE] : FINITE_EXTREMES;
    const values = normalLogits(random, this.rows, this.columns, { mean, deviation });
    const mixed = values.map((value) =>
      extremes !== undefined && random.integer(extremes) === 0
        ? pool[random.integer(pool.length)]!
        : value,
    );
    return dtype === 'float32' || this.isBare ? mixed : numbersOf(halvesOf(mixed, dtype), dtype);
  }

  /** Without a shape, and so without a type. */
  get isBare(): boolean {
    return this.plan.form === 'bare';
  }

  get dtype(): DType {
    return this.isBare ? 'float32' : this.plan.dtype;
  }

  /** Logits or gradients in the form and type of the call. */
  shaped(rows: Float32Array, dtype: DType): Values {
    const { form } = this.plan;
    const typed = (values: Float32Array) => ({
      data: dtype === 'float32' ? values.slice() : halvesOf(values, dtype),
      dtype,
    });
    if (form === 'bare') return rows.slice();
    if (form === 'rows') return { ...typed(rows), shape: [this.rows, this.columns] };
    const maps = this.cut(rows, this.columns).map((part, i): HostTensor => {
      const level = this.levels[i]!;
      return { ...typed(intoMap(part, level)), shape: shapeOf(level) };
    });
    return form === 'map' ? maps[0]! : maps;
  }

  /** The rows of what came back in that form. */
  unshaped(values: Values): Float32Array {
    const { form } = this.plan;
    if (form === 'bare' || form === 'rows') return valuesOf(values);
    const maps = form === 'map' ? [values as HostTensor] : (values as readonly HostTensor[]);
    return valuesOf(
      maps.map((map, i) => {
        expect(map.shape).toEqual(shapeOf(this.levels[i]!));
        const data = intoRows(valuesOf(map), this.levels[i]!);
        return { data, shape: [data.length] };
      }),
    );
  }

  /** Values for each row. */
  byRow(values: Float32Array | Int32Array, typed: boolean): unknown {
    const plain = (part: Float32Array | Int32Array) => (typed ? part : Array.from(part));
    if (this.plan.form !== 'list') return plain(values.slice());
    return this.cut(values, 1).map(plain);
  }

  /** The format of the call. */
  get format(): object {
    const { form, arrangement } = this.plan;
    return form === 'bare' || form === 'rows' ? {} : arrangementCall(arrangement);
  }

  private cut<T extends Float32Array | Int32Array>(values: T, width: number): T[] {
    return cutByLevel(values, this.levels, this.plan.arrangement.anchors, width);
  }

  /** Where the first bad value is to be, as the argument of the error names it. */
  placeOf(name: string, row: number): string {
    if (this.plan.form !== 'list') return `${name}[${row}]`;
    let first = 0;
    for (const [i, level] of this.levels.entries()) {
      const count = rowCount(level, level.anchors);
      if (row < first + count) return `${name}[${i}][${row - first}]`;
      first += count;
    }
    throw new RangeError(`no row ${row}`);
  }
}

function shareOf(random: Random, isSoft: boolean): number {
  const draw = random.next();
  if (draw < 0.6 || !isSoft) return draw < 0.8 ? 0 : 1;
  return random.next();
}

function labelsOf(seed: number, rows: number, options: Options): Int32Array {
  const { numClasses, background = 'first', ignoreIndex = -1 } = options;
  const ignored = typeof ignoreIndex === 'number' ? [ignoreIndex] : ignoreIndex;
  const random = new Random(seed + 1);
  return makeLabels(random, rows, numClasses, {
    background,
    positive: random.next(),
    ignored: ignored.length > 0 ? 0.2 * random.next() : 0,
    ...(ignored.length > 0 && { ignoreIndex: ignored[random.integer(ignored.length)]! }),
  });
}

/** The arguments of a call, and what the reference is to be given in place of them. */
interface Arguments {
  readonly sample: Sample;
  readonly logits: Values;
  readonly targets: unknown;
  readonly call: Readonly<Record<string, unknown>>;
  /** Where the gradient goes. */
  readonly grad: Values | undefined;
}

function argumentsOf(given: Plan, scenario: Scenario): Arguments {
  const sample = new Sample(given, scenario);
  const { method } = given;
  const logits = sample.shaped(sample.logits, sample.dtype);
  const grad = { into: () => sample.shaped(sample.upstream, sample.dtype), inPlace: () => logits };
  const target = method === 'into' || method === 'inPlace' ? grad[method]() : undefined;
  const targets =
    sample.dense === undefined
      ? sample.byRow(sample.labels, given.labelsAreTyped)
      : sample.shaped(sample.dense, 'float32');
  return { sample, logits, targets, grad: target, call: callOf(given, scenario, sample, target) };
}

function callOf(
  given: Plan,
  { options }: Scenario,
  sample: Sample,
  grad: Values | undefined,
): Record<string, unknown> {
  const { method, normalizer, lossScale, collect } = given;
  const { reduction = 'sum' } = options;
  if (method === 'collectGrad') return { ...sample.format, lossScale };
  const forward = {
    ...sample.format,
    ...(reduction === 'sum' && { normalizer }),
    ...(sample.quality && { quality: sample.byRow(sample.quality, true) }),
  };
  if (method === 'forward') return forward;
  const isElements = given.gradOutput === 'elements';
  const gradOutput = !isElements
    ? given.gradOutput
    : reduction === 'none'
      ? sample.shaped(sample.upstream, 'float32')
      : undefined;
  const transfer = method === 'transfer' && given.asynchronous ? { transfer: true } : {};
  return { ...forward, gradOutput, lossScale, collect, ...(grad && { grad }), ...transfer };
}

/** A criterion and the reference of the same options, which takes over its state before each call. */
export class Pair {
  readonly criterion: Criterion;
  private readonly reference: ReferenceCriterion;
  private readonly scenario: Scenario;

  constructor(scenario: Scenario) {
    const { kind, options } = scenario;
    this.scenario = scenario;
    this.criterion = new LOSSES[kind](options as never);
    this.reference = new ReferenceCriterion(options, kind);
  }

  /** Whether there is such a call. */
  can({ method }: Plan): boolean {
    return method !== 'collectGrad' || isStateful(this.criterion);
  }

  /** One call by both, compared. */
  async call(given: Plan): Promise<void> {
    const made = argumentsOf(given, this.scenario);
    const before = this.state();
    if (given.spoilt && spoil(made)) {
      await this.refuse(given, made);
      if (before) expectSameState(this.state()!, before);
      return;
    }
    if (isStateful(this.criterion)) this.reference.load(this.criterion.stateDict());
    const expected = this.expected(given, made);
    const output = await this.run(given, made);
    if ('loss' in expected) expectResult(output, expected, made, this.scenario);
    else expect(countsOf(output)).toEqual(countsOf(expected));
    if (before) this.expectState(given, before, expected);
  }

  /** The same call without waiting for its end. */
  async run(given: Plan, made = argumentsOf(given, this.scenario)): Promise<ImplementationOutput> {
    const { logits, targets, call } = made;
    const method =
      given.method === 'forward' || given.method === 'collectGrad'
        ? given.method
        : 'forwardBackward';
    const criterion = this.criterion as unknown as Record<
      string,
      (...args: readonly unknown[]) => ImplementationOutput | Promise<ImplementationOutput>
    >;
    const name = given.asynchronous ? `${method}Async` : method;
    return criterion[name]!(logits, targets, call);
  }

  state(): StateView | undefined {
    return isStateful(this.criterion) ? stateOf(this.criterion) : undefined;
  }

  private expected(given: Plan, { sample, call }: Arguments): Expected {
    const { logits, labels, dense, quality, upstream } = sample;
    if (given.method === 'collectGrad') return this.collected(sample, given.lossScale);
    const targets = dense ? { dense } : labels;
    const named = {
      normalizer: call['normalizer'] as number | undefined,
      lossScale: call['lossScale'] as number | undefined,
      gradOutput:
        ArrayBuffer.isView(call['gradOutput']) || typeof call['gradOutput'] === 'object'
          ? upstream
          : (call['gradOutput'] as number | undefined),
      quality,
    };
    return this.reference.forward(logits, targets, named);
  }

  /** Of gradients from elsewhere the reference keeps the sums in its state. */
  private collected({ logits, labels }: Sample, lossScale = 1): Expected {
    const { reference } = this;
    const before = { positive: reference.positive.slice(), negative: reference.negative.slice() };
    const counts = reference.collectGrad(logits, labels, lossScale);
    const positive = reference.positive.map((sum, j) => sum - before.positive[j]!);
    const negative = reference.negative.map((sum, j) => sum - before.negative[j]!);
    return {
      ...counts,
      positive,
      negative,
      positiveScale: reference.positive,
      negativeScale: reference.negative,
    };
  }

  private async refuse(given: Plan, made: Arguments): Promise<void> {
    const kept = made.grad && copyOf(made.grad);
    const error: unknown = await this.run(given, made).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(EflArgumentError);
    expect((error as EflArgumentError).argument).toMatch(
      /^(labels|targets|quality)\[\d+\](\[\d+\])?$/,
    );
    if (kept && made.grad) expect(bytesOf(made.grad)).toEqual(bytesOf(kept));
  }

  /**
   * What a call adds to the state: nothing where all its gradients are 0, and perhaps nothing where
   * float32 holds none of them.
   */
  private expectState(given: Plan, before: StateView, expected: Expected): void {
    const after = this.state()!;
    const collects =
      given.method === 'collectGrad' || (given.method !== 'forward' && given.collect !== false);
    const least = STATISTICS.absolute as number;
    const largest = Math.max(...expected.positive, ...expected.negative);
    if (!collects || largest === 0 || (largest < least && after.steps === before.steps)) {
      expectSameState(after, before);
      return;
    }
    expect(after.steps).toBe(before.steps + 1);
    for (const name of ['positive', 'negative'] as const) {
      const total = before[name].map((sum, j) => sum + expected[name][j]!);
      const absolute = total.map((sum, j) =>
        Math.max(least, STATISTICS.relative * expected[`${name}Scale`][j]! + 1e-14 * sum),
      );
      expectClose(`${name} sums`, after[name], total, { relative: 0, absolute });
    }
    const ratio = KINDS[this.scenario.kind].ratio!;
    const ratios = after.positive.map((sum, j) => ratio.of(sum, after.negative[j]!));
    expectClose('ratios', after.ratio, ratios, { relative: 1e-12, absolute: 1e-300 });
  }
}

type Sums = Pick<ReferenceOutput, 'positive' | 'negative' | 'positiveScale' | 'negativeScale'>;
type Counts = Pick<ReferenceOutput, 'positives' | 'ignored' | 'nonFinite'>;
type Expected = ReferenceOutput | (Sums & Counts);

/** Puts one bad value into the arguments; false where there is no place for it. */
function spoil({ sample, targets, call }: Arguments): boolean {
  const { plan: given, rows, columns } = sample;
  if (rows === 0) return false;
  const at = given.seed % rows;
  const last = (values: unknown): { part: unknown; index: number } => {
    if (given.form !== 'list') return { part: values, index: at };
    const parts = values as readonly ArrayLike<unknown>[];
    const counts = sample.levels.map((level) => rowCount(level, level.anchors));
    const level = counts.findIndex((count) => count > 0);
    return { part: parts[level], index: at % counts[level]! };
  };
  if (sample.dense) {
    const { part, index } = last(targets);
    const data = ArrayBuffer.isView(part) ? part : (part as HostTensor).data;
    (data as Float32Array)[index * columns] = given.nonFinite ? NaN : 1.5;
    return true;
  }
  const values = last(given.nonFinite && call['quality'] ? call['quality'] : targets);
  const isQuality = given.nonFinite && call['quality'] !== undefined;
  // The quality of a row without a class is not looked at.
  if (isQuality) return false;
  (values.part as number[])[values.index] = 7777;
  return true;
}

function levelsOf(values: Values): (Float32Array | Uint16Array)[] {
  if (Array.isArray(values)) return (values as readonly HostTensor[]).flatMap(levelsOf);
  const data: unknown = ArrayBuffer.isView(values) ? values : (values as HostTensor).data;
  return [data as Float32Array];
}

function bytesOf(values: Values): Buffer {
  return Buffer.concat(
    levelsOf(values).map(({ buffer, byteOffset, byteLength }) =>
      Buffer.from(buffer, byteOffset, byteLength),
    ),
  );
}

function copyOf(values: Values): Values {
  return structuredClone(values);
}

function expectResult(
  output: ImplementationOutput,
  expected: ReferenceOutput,
  { sample, grad }: Arguments,
  { options }: Scenario,
): void {
  expect(countsOf(output)).toEqual(countsOf(expected));
  const underflow = elementTolerance(expected.largestFactor).absolute as number;
  const error = (scales: Float64Array): Float64Array =>
    scales.map((scale) => Math.max(underflow, ELEMENT.relative * (onGpu ? 2 : 1) * scale));
  const size = expected.elementScale.reduce((sum, scale) => sum + scale, 0);
  const sum = expected.elements.reduce((total, value) => total + Math.abs(value), 0);
  const share = sum > 0 && Number.isFinite(sum) ? Math.abs(expected.loss) / sum : 1;
  const absolute = Math.max(1e-37, ELEMENT.relative * size * share);
  expectClose('loss', output.loss, expected.loss, { ...ELEMENT, absolute });
  if (options.reduction === 'none') {
    expectRounded(
      'elements',
      sample.unshaped(output.elements!),
      expected.elements,
      error(expected.elementScale),
      'float32',
    );
  }
  if (output.grad === undefined) return;
  if (grad) expect(output.grad).toBe(grad);
  expectRounded(
    'grad',
    sample.unshaped(output.grad),
    expected.grad,
    error(expected.gradScale),
    sample.dtype,
  );
}

/** Within the error, and then rounded to the type: rounding keeps the order of numbers. */
function expectRounded(
  what: string,
  actual: Float32Array,
  expected: Float64Array,
  errors: Float64Array,
  dtype: DType,
): void {
  const bound = (sign: number): Float32Array => {
    const values = Float32Array.from(expected, (value, i) =>
      Number.isFinite(value) ? value + sign * errors[i]! : value,
    );
    return dtype === 'float32' ? values : numbersOf(halvesOf(values, dtype), dtype);
  };
  const [least, most] = [bound(-1), bound(1)];
  const wrong = actual.findIndex((value, i) =>
    Number.isNaN(expected[i]) ? !Number.isNaN(value) : !(value >= least[i]! && value <= most[i]!),
  );
  if (wrong < 0 && actual.length === expected.length) return;
  throw new Error(
    `${what}[${wrong}] of ${expected.length}: received ${actual[wrong]}, expected ${expected[wrong]} ` +
      `from ${least[wrong]} to ${most[wrong]} in ${dtype}`,
  );
}
