/** Values in host memory that go to a device, and how many bytes they take there. */
import { types } from 'node:util';
import { EflArgumentError } from '../errors';
import { lengthOf } from '../intrinsics';
import { maxDimensions, readGiven } from '../tensors/foreign';
import { isIntegerArray } from '../tensors/labels';
import { rejectUnstable } from '../tensors/memory';
import { checkTensor, isShape, listed, type DType } from '../tensors/tensor';
import { describe, listOf, reject } from '../validation';

/** Element type of a tensor on a device; labels are int32, masks uint8. */
export type CudaDType = DType | 'int32' | 'uint8';

/** Labels in host memory with a shape. */
export interface HostLabels {
  readonly data: Int32Array;
  readonly shape: readonly number[];
  readonly dtype?: 'int32' | undefined;
}

/** A mask in host memory with a shape. */
export interface HostBytes {
  readonly data: Uint8Array;
  readonly shape: readonly number[];
  readonly dtype?: 'uint8' | undefined;
}

/** What {@link CudaTensor.toHost} gives: 16-bit types as raw bits. */
export interface HostCopy {
  readonly data: Float32Array | Uint16Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
  readonly dtype: CudaDType;
}

export const dtypes = ['float32', 'float16', 'bfloat16', 'int32', 'uint8'] as const;
export const bytesOf = { float32: 4, int32: 4, float16: 2, bfloat16: 2, uint8: 1 } as const;

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** A shape as it was when it was looked at: each of its numbers is read once. */
export function checkSizes(argument: string, shape: unknown, dtype: CudaDType): readonly number[] {
  const sizes = Array.isArray(shape) ? listOf(shape, maxDimensions) : undefined;
  if (!isShape(sizes) || !Number.isSafeInteger(sizeOf(sizes) * bytesOf[dtype])) {
    const expected = `a list of at most ${maxDimensions} integers >= 0, of less than 2^53 bytes`;
    throw new EflArgumentError(argument, expected, sizes ? listed(sizes) : describe(shape));
  }
  return sizes;
}

/** Refuses values of another type or number; `what` says how many there have to be. */
export function checkKind(
  argument: string,
  { dtype, shape }: Pick<HostCopy, 'dtype' | 'shape'>,
  expected: CudaDType,
  length: number,
  what = `${length} values`,
): void {
  if (dtype !== expected) {
    throw new EflArgumentError(argument, `${expected} values`, `${dtype} values`);
  }
  const found = sizeOf(shape);
  if (found !== length) throw new EflArgumentError(argument, what, `${found} values`);
}

export function checkSource(source: unknown, shape?: unknown): HostCopy {
  const given = readGiven('source', source);
  const { data } = given;
  // The sizes of the option may be computed, too: they are read before the values are looked at.
  const option = shape === undefined ? undefined : checkSizes('shape', shape, 'float32');
  const own = (given.isBare ? undefined : given.shape) ?? option;
  if (types.isInt32Array(data)) {
    rejectUnstable(given.isBare ? 'source' : 'source.data', data);
    return ofSize(data, own, 'int32');
  }
  if (types.isUint8Array(data)) {
    rejectUnstable(given.isBare ? 'source' : 'source.data', data);
    return ofSize(data, own, 'uint8');
  }
  if (isIntegerArray(data) && !types.isUint16Array(data)) {
    reject('source', 'labels in an Int32Array, as Int32Array.from(labels, Number) makes it', data);
  }
  const tensor = checkTensor('source', given);
  return ofSize(tensor.data, own, tensor.dtype);
}

function ofSize(data: HostCopy['data'], shape: unknown, dtype: CudaDType): HostCopy {
  const length = lengthOf(data);
  const sizes = shape === undefined ? [length] : checkSizes('shape', shape, dtype);
  if (sizeOf(sizes) !== length) reject('shape', `${length} values`, sizes);
  return { data, shape: sizes, dtype };
}
