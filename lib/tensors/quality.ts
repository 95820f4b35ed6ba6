import { reject } from '../validation';
import { lengthOf, plainView } from '../intrinsics';
import { readGiven } from './foreign';
import { checkRowShape, describeRows, rowsOf, type CheckedLogits } from './logits';
import { rejectUnstable } from './memory';
import { checkShape, isFloat32Array, type CheckedTensor } from './tensor';

/** The qualities of one tensor; the addon checks their values. */
export function qualityData(
  argument: string,
  quality: unknown,
  tensor: CheckedTensor<unknown>,
  logits: CheckedLogits<unknown>,
): Float32Array {
  return rowFloats(argument, quality, tensor, logits, 'a number in [0, 1]');
}

/** The weights of the rows of one tensor, with or without a shape; likewise. */
export function rowWeightData(
  argument: string,
  weights: unknown,
  tensor: CheckedTensor<unknown>,
  logits: CheckedLogits<unknown>,
): Float32Array {
  const { data, isBare, shape } = readGiven(argument, weights);
  const values = rowFloats(argument, data, tensor, logits, 'a finite number >= 0');
  if (!isBare) checkRowShape(argument, checkShape(argument, shape, values), tensor, logits);
  return values;
}

function rowFloats(
  argument: string,
  given: unknown,
  tensor: CheckedTensor<unknown>,
  logits: CheckedLogits<unknown>,
  expected: string,
): Float32Array {
  const values = isFloat32Array(given) ? plainView(given) : undefined;
  if (!values && !Array.isArray(given)) {
    reject(argument, 'a Float32Array or an array of numbers', given);
  }
  if (values) rejectUnstable(argument, values);
  const rows = rowsOf(tensor, logits);
  const list = given as readonly unknown[];
  const length = values ? lengthOf(values) : list.length;
  if (length !== rows) reject(argument, describeRows(tensor, logits, 'values'), given);
  // By index: holes of a sparse array are looked at, too.
  return (
    values ??
    Float32Array.from({ length: rows }, (_, row) => {
      const value = list[row];
      if (typeof value !== 'number') reject(`${argument}[${row}]`, expected, value);
      return value;
    })
  );
}
