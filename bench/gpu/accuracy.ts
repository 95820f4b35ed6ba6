/** Whether results are equal to those in float64, as far as their type can say. */
import type { Reference } from '../reference';
import { worst } from '../reference';
import type { Solution } from '../workload';
import type { GpuErrors, GpuType } from './report';

interface Bound {
  /** What results may be off by, relative to their size. */
  readonly tolerance: number;
  /** Smaller gradients are compared as if they were as large. */
  readonly negligible: number;
}

/** Half a step of the type, and what a sum in float32 may add. */
export const bounds: Readonly<Record<GpuType, Bound>> = {
  float32: { tolerance: 1e-3, negligible: 1e-12 },
  float16: { tolerance: 2e-3, negligible: 2 ** -14 },
  bfloat16: { tolerance: 1e-2, negligible: 1e-12 },
};

export const noErrors: GpuErrors = { loss: null, gradient: null, statistics: null };

type Parts = Partial<Solution>;

/**
 * Errors of what there is of a solution. `roundedRows`: the statistics were taken from gradients that
 * had been rounded to the type, so many of them for each class.
 */
export function errorsOf(
  { loss, gradient, positive, negative }: Parts,
  reference: Omit<Reference, 'gradient'> & { readonly gradient: ArrayLike<number> },
  type: GpuType,
  roundedRows = 0,
): GpuErrors {
  const { tolerance, negligible } = bounds[type];
  const smallestStep = type === 'float16' ? 2 ** -25 : 0;
  const least = Math.max(1e-12, (roundedRows * smallestStep) / tolerance);
  return {
    loss: loss === undefined ? null : worst([loss], [reference.loss], least),
    gradient: gradient === undefined ? null : worst(gradient, reference.gradient, negligible),
    statistics:
      positive === undefined || negative === undefined
        ? null
        : Math.max(
            worst(positive, reference.positive, least),
            worst(negative, reference.negative, least),
          ),
  };
}

/** The larger ones of both. */
export function worseOf(a: GpuErrors, b: GpuErrors): GpuErrors {
  const larger = (x: number | null, y: number | null): number | null =>
    x === null || y === null ? (x ?? y) : Math.max(x, y);
  return {
    loss: larger(a.loss, b.loss),
    gradient: larger(a.gradient, b.gradient),
    statistics: larger(a.statistics, b.statistics),
  };
}

/** Throws where results are not equal: such a thing is not timed. */
export function requireEqual(what: string, errors: GpuErrors, type: GpuType): GpuErrors {
  const wrong = Object.entries(errors).filter(
    ([, error]) => error !== null && !(error <= bounds[type].tolerance),
  );
  if (wrong.length === 0) return errors;
  const figures = wrong.map(([part, error]) => `${part} by ${Number(error).toExponential(1)}`);
  throw new Error(`${what} computes something else: off from float64 in ${figures.join(', ')}`);
}
