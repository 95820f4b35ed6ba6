/** Whether results are equal to those in float64, as far as their type can say. */
import type { Errors } from '../report/report';
import type { LogitType } from '../workload/half';
import type { Solution } from '../workload/workload';

interface Bound {
  /**
   * What results may be off by, relative to their size: half a step of the type, and what a sum in
   * float32 may add.
   */
  readonly tolerance: number;
  /**
   * Smaller gradients are compared as if they were as large: nothing is trained by them. Those below
   * 2^-126 are as good as 0, which some contenders make of them, this package among them.
   */
  readonly negligible: number;
}

const negligible = 1e-12;

export const bounds: Readonly<Record<LogitType, Bound>> = {
  float32: { tolerance: 1e-3, negligible },
  float16: { tolerance: 2e-3, negligible: 2 ** -14 },
  bfloat16: { tolerance: 1e-2, negligible },
};

/** Enough to see a mistake, and little enough for the slowest. */
const checkedLogits = 100_000;

/** Solutions are checked in so many of a problem's rows. */
export function checkedRows({ rows, classes }: { rows: number; classes: number }): number {
  return Math.max(1, Math.min(rows, Math.floor(checkedLogits / classes)));
}

/** What there is of a solution. */
export type Parts = Partial<Omit<Solution, 'gradient'>> & { readonly gradient?: ArrayLike<number> };

/**
 * Errors of what there is of a solution, relative to the value. `roundedRows`: the statistics were
 * taken from gradients that had been rounded to the type, so many of them for each class.
 */
export function errorsOf(
  { loss, gradient, positive, negative }: Parts,
  expected: Parts,
  type: LogitType = 'float32',
  roundedRows = 0,
): Errors {
  const smallestStep = type === 'float16' ? 2 ** -25 : 0;
  const least = Math.max(negligible, (roundedRows * smallestStep) / bounds[type].tolerance);
  return {
    loss: loss === undefined ? null : worst([loss], [expected.loss!], least),
    gradient:
      gradient === undefined ? null : worst(gradient, expected.gradient!, bounds[type].negligible),
    statistics:
      positive === undefined || negative === undefined
        ? null
        : Math.max(
            worst(positive, expected.positive!, least),
            worst(negative, expected.negative!, least),
          ),
  };
}

/** The largest error relative to the value, or to `least` where the value is smaller. */
export function worst(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  least = negligible,
): number {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const scale = Math.max(Math.abs(expected[i]!), least);
    const error = Math.abs(actual[i]! - expected[i]!) / scale;
    if (!(error <= largest)) largest = Number.isNaN(error) ? Infinity : error;
  }
  return largest;
}

/** The larger ones of both. */
export function worseOf(a: Errors, b: Errors): Errors {
  const larger = (x: number | null, y: number | null): number | null =>
    x === null || y === null ? (x ?? y) : Math.max(x, y);
  return {
    loss: larger(a.loss, b.loss),
    gradient: larger(a.gradient, b.gradient),
    statistics: larger(a.statistics, b.statistics),
  };
}

/** Throws where results are not equal: such a thing is not timed. */
export function requireEqual(what: string, errors: Errors, type: LogitType = 'float32'): Errors {
  const wrong = Object.entries(errors).filter(
    ([, error]) => error !== null && !(error <= bounds[type].tolerance),
  );
  if (wrong.length === 0) return errors;
  const figures = wrong.map(([part, error]) => `${part} by ${Number(error).toExponential(1)}`);
  throw new Error(
    `${what} computes something else: off from float64 in ${figures.join(', ')} (relative)`,
  );
}
