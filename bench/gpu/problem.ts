/** Problems as a device has them: logits rounded to a type, and looked at as feature maps. */
import { bitsOf, valuesOf, type Bits, type LogitType } from '../workload/half';
import { rowsOf, type Problem, type Solution } from '../workload/workload';

/** A problem whose logits are numbers of a type, and these as the type has them. */
export interface GpuProblem extends Problem {
  readonly type: LogitType;
  readonly bits: Bits;
}

export function problemOf(problem: Problem, type: LogitType): GpuProblem {
  const bits = bitsOf(problem.logits, type);
  return { ...problem, type, bits, logits: valuesOf(bits, type) };
}

/** Some rows of a problem, over the same memory. */
export function gpuRowsOf(problem: GpuProblem, first: number, rows: number): GpuProblem {
  const { classes, bits, type } = problem;
  const part = bits.subarray(first * classes, (first + rows) * classes);
  return { ...rowsOf(problem, first, rows), type, bits: part };
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
