/**
 * Arbitrary calls, and how a property is checked: always with the same seed, which a failure prints.
 * `EFL_PROPERTY_SEED` takes another one, `EFL_PROPERTY_RUNS` so many cases for each property.
 */

import fc from 'fast-check';
import type { Background } from '../reference/targets';
import { backgroundLabel, classLabel } from '../reference/inputs';

const SEED = Number(process.env['EFL_PROPERTY_SEED'] ?? 20220623);
const RUNS = process.env['EFL_PROPERTY_RUNS'];
// A property is asked for many cases by someone who waits; on a busy machine some take long.
jest.setTimeout(RUNS === undefined ? 120_000 : 1000 * Number(RUNS));

function parameters(numRuns: number) {
  const runs = RUNS === undefined ? numRuns : Number(RUNS);
  return { seed: SEED, numRuns: runs, verbose: fc.VerbosityLevel.Verbose };
}

/** Holds for this many arbitrary cases; the report has the smallest counterexample found. */
export function check<T extends [unknown, ...unknown[]]>(
  property: fc.IPropertyWithHooks<T>,
  numRuns = 100,
): void {
  fc.assert(property, parameters(numRuns));
}

export async function checkAsync<T extends [unknown, ...unknown[]]>(
  property: fc.IAsyncPropertyWithHooks<T>,
  numRuns = 40,
): Promise<void> {
  await fc.assert(property, parameters(numRuns));
}

export interface Problem {
  readonly numClasses: number;
  readonly rows: number;
  readonly logits: Float32Array;
  readonly labels: readonly number[];
  readonly background: Background;
}

export interface ProblemLimits {
  readonly minRows?: number;
  readonly maxRows?: number;
  readonly maxClasses?: number;
  readonly largest?: number;
  readonly background?: Background;
}

/** Rows, classes, logits and labels in one of the background conventions; -1 is ignored. */
export function problem({
  maxClasses = 40,
  background,
  ...limits
}: ProblemLimits = {}): fc.Arbitrary<Problem> {
  const shape = fc.record({
    numClasses: fc.integer({ min: 1, max: maxClasses }),
    background:
      background === undefined
        ? fc.constantFrom<Background>('first', 'last', 'none')
        : fc.constant(background),
  });
  return shape.chain((given) => problemOf(given.numClasses, given.background, limits));
}

/** The same for a given number of classes and convention. */
export function problemOf(
  numClasses: number,
  background: Background,
  {
    minRows = 1,
    maxRows = 12,
    largest = 100,
  }: Pick<ProblemLimits, 'minRows' | 'maxRows' | 'largest'> = {},
): fc.Arbitrary<Problem> {
  return fc.integer({ min: minRows, max: maxRows }).chain((rows) =>
    fc.record({
      numClasses: fc.constant(numClasses),
      rows: fc.constant(rows),
      background: fc.constant(background),
      logits: float32s(rows * numClasses, -largest, largest),
      labels: fc.array(label(numClasses, background), { minLength: rows, maxLength: rows }),
    }),
  );
}

export function float32s(length: number, min: number, max: number): fc.Arbitrary<Float32Array> {
  return fc.float32Array({
    minLength: length,
    maxLength: length,
    min: Math.fround(min),
    max: Math.fround(max),
    noNaN: true,
  });
}

function label(numClasses: number, background: Background): fc.Arbitrary<number> {
  const column = fc.integer({ min: 0, max: numClasses - 1 });
  const choices = [
    { weight: 4, arbitrary: column.map((j) => classLabel(j, background)) },
    { weight: 1, arbitrary: fc.constant(-1) },
  ];
  if (background !== 'none') {
    choices.push({ weight: 3, arbitrary: fc.constant(backgroundLabel(numClasses, background)) });
  }
  return fc.oneof(...choices);
}

const double = (min: number, max: number): fc.Arbitrary<number> =>
  fc.double({ min, max, noNaN: true });

/** Base gamma of Focal Loss: anywhere in the range, often at its special values. */
export const gamma = fc.oneof(double(0, 10), fc.constantFrom(0, 0.5, 1, 2, 10));

/** Base gamma of Equalized Focal Loss: not so small that the weight grows beyond measure. */
export const equalizedGamma = fc.oneof(double(0.25, 4), fc.constantFrom(1, 2));

export const alpha = fc.oneof(double(0, 1), fc.constantFrom(0, 0.25, 1, -1, -0.3));

export const scaleFactor = fc.oneof(double(0, 8), fc.constantFrom(0, 4, 8));

/** A factor of either sign, neither tiny nor huge. */
export const factor = fc
  .tuple(double(0.01, 100), fc.boolean())
  .map(([size, negative]) => (negative ? -size : size));

export const positiveFactor = double(0.01, 100);

/** One gradient ratio for each class. */
export function ratios(numClasses: number): fc.Arbitrary<number[]> {
  const ratio = fc.oneof(double(0, 1), fc.constantFrom(0, 1));
  return fc.array(ratio, { minLength: numClasses, maxLength: numClasses });
}

export interface EqualizedProblem extends Problem {
  readonly ratios: readonly number[];
}

/** A problem and a gradient ratio for each of its classes. */
export function equalizedProblem(limits?: ProblemLimits): fc.Arbitrary<EqualizedProblem> {
  return problem(limits).chain((given) =>
    ratios(given.numClasses).map((values) => ({ ...given, ratios: values })),
  );
}

/** A permutation, by the seed of its shuffle. */
export const shuffleSeed = fc.integer({ min: 0, max: 2 ** 31 - 1 });
