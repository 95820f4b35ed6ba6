import { types } from 'node:util';
import type { Values } from '../binding/addon';
import { EflArgumentError } from '../errors';
import { reject } from '../validation';
import { bitsOf, isFloat16Array, type Float16Values } from './float16';
import { asPlain } from './foreign';
import { rejectUnstable } from './memory';

/** Element type of a tensor. */
export type DType = 'float32' | 'float16' | 'bfloat16';

/** Arrays that hold the values of a tensor: numbers, or the raw bits of a 16-bit type. */
export type HostValues = Float32Array | Uint16Array | Float16Values;

/**
 * A tensor in host memory: any object of this shape is accepted. `shape` lists the dimensions, the
 * last one varying fastest; their product is the length of `data`.
 */
export interface HostTensor<Data extends HostValues = HostValues> {
  readonly data: Data;
  readonly shape: readonly number[];
  /** Default from `data`: `'float32'`, or `'float16'` for a `Float16Array`; a `Uint16Array` needs it. */
  readonly dtype?: DType | undefined;
}

/** Values with or without a shape. */
export type TensorLike = Float32Array | HostTensor;

/** Works across realms (Jest, vm contexts), where `instanceof` does not. */
export function isFloat32Array(value: unknown): value is Float32Array {
  return types.isFloat32Array(value);
}

/** All that the shape of a tensor has to agree with. */
export interface Sized {
  readonly length: number;
}

/** A tensor argument, read once: whatever happens to the caller's object later, this is what it was. */
export interface CheckedTensor<V extends Sized = Values> {
  /** Of a `Float16Array` the bits, in the same memory. */
  readonly data: V;
  /** Undefined for bare values. */
  readonly shape: readonly number[] | undefined;
  readonly dtype: DType;
  /** Whether the values came as a `Float16Array`, and results should. */
  readonly asFloat16Array: boolean;
}

const expectedTensor =
  'a Float32Array or { data, shape, dtype? } with data a Float32Array, or a Uint16Array of raw bits';

/** Looks at everything a tensor argument says of itself. */
export function checkTensor(argument: string, value: unknown): CheckedTensor {
  if (isFloat32Array(value)) {
    rejectUnstable(argument, value);
    return { data: value, shape: undefined, dtype: 'float32', asFloat16Array: false };
  }
  if (isFloat16Array(value)) {
    rejectUnstable(argument, value);
    return { data: bitsOf(value), shape: undefined, dtype: 'float16', asFloat16Array: true };
  }
  if (typeof value !== 'object' || value === null) reject(argument, expectedTensor, value);
  const plain = asPlain(argument, value);
  return plain === value ? checkHostTensor(argument, value) : checkTensor(argument, plain);
}

function checkHostTensor(argument: string, value: Partial<HostTensor>): CheckedTensor {
  const { data, shape: given, dtype: named } = value;
  if (!isHostValues(data) || !Array.isArray(given)) reject(argument, expectedTensor, value);
  const dtype = checkDType(`${argument}.dtype`, named, data);
  rejectUnstable(`${argument}.data`, data);
  const shape = checkShape(argument, given, data);
  if (shape.length === 0) {
    throw new EflArgumentError(`${argument}.shape`, 'one or more integers >= 0', listed(shape));
  }
  if (isFloat16Array(data)) return { data: bitsOf(data), shape, dtype, asFloat16Array: true };
  return { data, shape, dtype, asFloat16Array: false };
}

/** Checks that a shape is one, and that of this data. */
export function checkShape(argument: string, value: unknown, data: Sized): readonly number[] {
  if (!Array.isArray(value)) reject(`${argument}.shape`, 'a list of integers >= 0', value);
  // Array.from also fills the holes of a sparse array, for the check to find.
  const shape: unknown[] = Array.from(value as ArrayLike<unknown>);
  if (!shape.every(isDimension)) {
    throw new EflArgumentError(`${argument}.shape`, 'integers >= 0', listed(shape));
  }
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  if (count !== data.length) {
    reject(`${argument}.data`, `${listed(shape)} = ${count} values`, data);
  }
  return shape;
}

function isHostValues(data: unknown): data is HostValues {
  return isFloat32Array(data) || types.isUint16Array(data) || isFloat16Array(data);
}

/** Only raw bits leave a choice. */
function checkDType(argument: string, dtype: unknown, data: HostValues): DType {
  if (types.isUint16Array(data)) {
    if (dtype === 'float16' || dtype === 'bfloat16') return dtype;
    reject(argument, "'float16' or 'bfloat16' for the raw bits of a Uint16Array", dtype);
  }
  const only = isFloat32Array(data) ? 'float32' : 'float16';
  if (dtype !== undefined && dtype !== only) reject(argument, `'${only}'`, dtype);
  return only;
}

/** {@link checkTensor} for arguments that have no 16-bit form. */
export function checkFloat32Tensor(argument: string, value: unknown): CheckedTensor<Float32Array> {
  const tensor = checkTensor(argument, value);
  if (!isFloat32Array(tensor.data)) {
    throw new EflArgumentError(argument, 'float32 values', `${tensor.dtype} values`);
  }
  return tensor as CheckedTensor<Float32Array>;
}

/** A shape for error messages: `2 x 3`. */
export function listed(shape: readonly unknown[]): string {
  return shape.map(String).join(' x ') || 'no dimension';
}

function isDimension(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Float32 values, as many as those of the logits; `what` says what they are. */
export function tensorAsLong(
  argument: string,
  value: unknown,
  logits: CheckedTensor,
  what = 'values',
): CheckedTensor<Float32Array> {
  const tensor = checkFloat32Tensor(argument, value);
  if (tensor.data.length !== logits.data.length) {
    reject(argument, `${logits.data.length} ${what}, as many as the logits`, tensor.data);
  }
  return tensor;
}

/** {@link tensorAsLong}, of the shape of the logits where both have one. */
export function valuesOfSameShape(
  argument: string,
  value: unknown,
  logits: CheckedTensor,
  what?: string,
): Float32Array {
  const tensor = tensorAsLong(argument, value, logits, what);
  checkSameShape(argument, tensor, logits);
  return tensor.data;
}

/** Refuses another shape than that of the logits, where both have one. */
export function checkSameShape(
  argument: string,
  { shape }: CheckedTensor,
  logits: CheckedTensor,
): void {
  if (!shape || !logits.shape || listed(shape) === listed(logits.shape)) return;
  const expected = `the shape of the logits, ${listed(logits.shape)}`;
  throw new EflArgumentError(`${argument}.shape`, expected, listed(shape));
}
