/** A loss for each row, of the losses of its elements. */
import type { BackwardCall } from '../../calls/call-options';
import type { Criterion } from '../../criteria/criterion';
import type { TfLossOptions } from './check-options';
import type { TensorValues as Values } from './tensor-memory';

/**
 * Factor on the losses of rows. Whoever takes their mean divides by the rows: `'positives'` is to make
 * that the sum over the positives.
 */
export function rowScale(
  normalizer: TfLossOptions['normalizer'],
  rows: number,
  positives: number,
): number {
  return normalizer === 'positives' ? rows / Math.max(1, positives) : 1 / (normalizer ?? 1);
}

/** The sum of each row, times `scale`; float64 until it is rounded. */
export function rowSums(elements: Float32Array, rows: number, scale: number): Float32Array {
  const columns = elements.length / rows;
  return Float32Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) sum += elements[i]!;
    return sum * scale;
  });
}

/** Refuses, as a call would, factors on the losses of rows with which their gradient is not finite. */
export function checkRowFactors(criterion: Criterion, factors: Values, scale: number): void {
  for (const factor of factors) {
    const gradOutput = Math.fround(factor * scale);
    if (!Number.isFinite(gradOutput)) criterion.checkNumbers({ gradOutput });
  }
}

/**
 * How a call takes a factor for each row, times `scale`, of logits of this shape: as the weight of the
 * row, and where signs differ as a factor on each element.
 */
export function rowFactors(
  factors: Values,
  scale: number,
  shape: readonly number[],
): Pick<BackwardCall, 'rowWeight' | 'gradOutput'> {
  if (factors.every((factor) => factor >= 0)) return weighing(factors, scale);
  if (factors.every((factor) => factor <= 0)) return weighing(factors, -scale);
  const columns = shape.at(-1)!;
  const gradOutput = new Float32Array(factors.length * columns);
  for (let row = 0; row < factors.length; row++) {
    gradOutput.fill(factors[row]! * scale, row * columns, (row + 1) * columns);
  }
  return { gradOutput: { data: gradOutput, shape } };
}

function weighing(factors: Values, scale: number): Pick<BackwardCall, 'rowWeight' | 'gradOutput'> {
  // The scale as a factor of its own: a weight has to be a normal number of float32.
  return { rowWeight: Float32Array.from(factors, Math.abs), gradOutput: scale };
}
