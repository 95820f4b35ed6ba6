/** Problems as a device has them: logits rounded to a type, and what is right for them. */
import { solveInFloat64, type Reference } from '../reference';
import type { Problem, Solution } from '../workload';
import { bitsOf, valuesOf } from './half';
import type { GpuType } from './report';

/** A problem whose logits are numbers of a type, and these as the type has them. */
export interface GpuProblem extends Problem {
  readonly type: GpuType;
  readonly bits: Float32Array | Uint16Array;
}

export function problemOf(problem: Problem, type: GpuType): GpuProblem {
  const bits = bitsOf(problem.logits, type);
  return { ...problem, type, bits, logits: valuesOf(bits, type) };
}

/** Some rows of a problem, over the same memory. */
export function rowsOf(problem: GpuProblem, first: number, rows: number): GpuProblem {
  const { classes, logits, bits, labels } = problem;
  const [begin, end] = [first * classes, (first + rows) * classes];
  return {
    ...problem,
    rows,
    logits: logits.subarray(begin, end),
    bits: bits.subarray(begin, end),
    labels: labels.subarray(first, first + rows),
  };
}

export type Maps = readonly [images: number, height: number, width: number];

/** Rows x classes of what lies in memory as images x classes x height x width. */
export function rowsOfPlanes(
  values: Float32Array,
  classes: number,
  [images, height, width]: Maps,
): Float32Array {
  const area = height * width;
  const rows = new Float32Array(values.length);
  for (let image = 0; image < images; image++) {
    for (let j = 0; j < classes; j++) {
      const plane = (image * classes + j) * area;
      for (let position = 0; position < area; position++) {
        rows[(image * area + position) * classes + j] = values[plane + position]!;
      }
    }
  }
  return rows;
}

/** The same memory, looked at as feature maps. */
export function asPlanes(problem: GpuProblem, maps: Maps): Problem {
  return { ...problem, logits: rowsOfPlanes(problem.logits, problem.classes, maps) };
}

/** The statistics of numbers that are given as gradients. */
export function sumsOf({ classes, logits, labels }: Problem): Omit<Solution, 'loss' | 'gradient'> {
  const positive = new Float64Array(classes);
  const negative = new Float64Array(classes);
  labels.forEach((label, row) => {
    if (label < 0) return;
    for (let j = 0; j < classes; j++) {
      (label === j + 1 ? positive : negative)[j]! += Math.abs(logits[row * classes + j]!);
    }
  });
  return { positive, negative };
}

export type Expected = Omit<Reference, 'gradient'> & { readonly gradient: ArrayLike<number> };

export function expectedOf(problem: Problem): Expected {
  return solveInFloat64(problem);
}
