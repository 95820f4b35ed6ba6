/** What a call gives, beside what the reference does. */

import { elementTolerance, ELEMENT, expectClose, onGpu } from '../../reference/compare';
import type { ReferenceOutput } from '../../reference/criterion';
import { halvesOf, numbersOf } from '../../reference/half';
import { countsOf } from '../../reference/harness';
import type { ImplementationOutput } from '../../reference/harness';
import type { Arguments } from './arguments';
import type { DType, Options, Scenario } from './scenario';

export function expectResult(
  output: ImplementationOutput,
  expected: ReferenceOutput,
  { sample, grad }: Arguments,
  { options }: Scenario,
): void {
  expect(countsOf(output)).toEqual(countsOf(expected));
  const underflow =
    (elementTolerance(expected.largestFactor).absolute as number) * entropyOf(sample, options);
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

/** With smoothed targets, what is left of a modulator that underflows meets an entropy of this size. */
function entropyOf({ logits }: Arguments['sample'], { labelSmoothing = 0 }: Options): number {
  if (labelSmoothing === 0) return 1;
  return logits.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 1);
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
