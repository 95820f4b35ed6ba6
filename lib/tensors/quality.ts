import { reject } from '../validation';
import { lengthOf, plainView } from '../intrinsics';
import { describeRows, rowsOf, type CheckedLogits } from './logits';
import { rejectUnstable } from './memory';
import { isFloat32Array, type CheckedTensor } from './tensor';

/** The qualities of one tensor; the addon checks their values. */
export function qualityData(
  argument: string,
  quality: unknown,
  tensor: CheckedTensor<unknown>,
  logits: CheckedLogits<unknown>,
): Float32Array {
  const values = isFloat32Array(quality) ? plainView(quality) : undefined;
  if (!values && !Array.isArray(quality)) {
    reject(argument, 'a Float32Array or an array of numbers', quality);
  }
  if (values) rejectUnstable(argument, values);
  const rows = rowsOf(tensor, logits);
  const list = quality as readonly unknown[];
  const length = values ? lengthOf(values) : list.length;
  if (length !== rows) reject(argument, describeRows(tensor, logits, 'values'), quality);
  // By index: holes of a sparse array are looked at, too.
  return (
    values ??
    Float32Array.from({ length: rows }, (_, row) => {
      const value = list[row];
      if (typeof value !== 'number') reject(`${argument}[${row}]`, 'a number in [0, 1]', value);
      return value;
    })
  );
}
