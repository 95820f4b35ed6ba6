import { kindOf, lengthOf } from '../intrinsics';
import { reject } from '../validation';
import { checkSameOrder } from './counterparts';
import { readGiven, type DimsTensor } from './foreign';
import { rejectUnstable } from './memory';
import { checkShape, type CheckedTensor } from './tensor';

/** A byte for each logit of one tensor, bare or with a shape. */
export type HostMask =
  | Uint8Array
  | { readonly data: Uint8Array; readonly shape: readonly number[] }
  | DimsTensor<Uint8Array>;

/** The mask of one tensor, in the order of its logits. */
export function maskData(
  argument: string,
  mask: unknown,
  tensor: CheckedTensor<unknown>,
): Uint8Array {
  const { data, isBare, shape } = readGiven(argument, mask);
  const bytes = bytesIn(argument, data, tensor.length, 'values, as many as the logits');
  if (!isBare) {
    checkSameOrder(argument, { shape: checkShape(argument, shape, bytes) }, tensor);
  }
  return bytes;
}

/** The mask of the classes. */
export function classMaskData(argument: string, mask: unknown, classes: number): Uint8Array {
  const { data } = readGiven(argument, mask);
  return bytesIn(argument, data, classes, 'values, one for each class');
}

function bytesIn(argument: string, data: unknown, count: number, what: string): Uint8Array {
  if (kindOf(data) !== 'Uint8Array') reject(argument, 'a Uint8Array', data);
  const bytes = data as Uint8Array;
  rejectUnstable(argument, bytes);
  if (lengthOf(bytes) !== count) reject(argument, `${count} ${what}`, bytes);
  return bytes;
}
