import { types } from 'node:util';
import type { Values } from '../binding/addon';
import { EflArgumentError } from '../errors';
import { describe, reject } from '../validation';
import { bitsOf, isFloat16Array, type Float16Values } from './float16';
import { maxDimensions, readGiven, type ArrowVector, type DimsTensor, type Given } from './foreign';
import { kindOf, lengthOf } from '../intrinsics';
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

/** Arrays of other libraries, see docs/embedding.md; those of ndarray are a {@link HostTensor} already. */
export type ForeignTensor = DimsTensor<HostValues> | ArrowVector<Float32Array>;

/** Values with or without a shape. */
export type TensorLike = Float32Array | HostTensor;

/** Works across realms (Jest, vm contexts), where `instanceof` does not. */
export function isFloat32Array(value: unknown): value is Float32Array {
  return types.isFloat32Array(value);
}

/** A tensor argument, read once: whatever happens to the caller's object later, this is what it was. */
export interface CheckedTensor<V = Values> {
  /** Of a `Float16Array` the bits, in the same memory. */
  readonly data: V;
  /** How many values there were when the argument was read; none are left of a detached array. */
  readonly length: number;
  /** Undefined for bare values. */
  readonly shape: readonly number[] | undefined;
  readonly dtype: DType;
  /** Whether the values came as a `Float16Array`, and results should. */
  readonly asFloat16Array: boolean;
}

const expectedTensor =
  'a Float32Array or { data, shape, dtype? } with data a Float32Array, or a Uint16Array of raw bits';

/** Looks at everything a tensor argument says of itself; it may have been read already. */
export function checkTensor(argument: string, value: unknown): CheckedTensor {
  const given = readGiven(argument, value);
  const { data, isBare, dtype: named } = given;
  if (!isHostValues(data) || (isBare && types.isUint16Array(data))) {
    reject(argument, expectedValues(argument, given), given.value);
  }
  const length = lengthOf(data);
  const asFloat16Array = isFloat16Array(data);
  if (isBare) {
    rejectUnstable(argument, data);
    const dtype = asFloat16Array ? 'float16' : 'float32';
    return { data: bitsIn(data), length, shape: undefined, dtype, asFloat16Array };
  }
  if (!Array.isArray(given.shape)) reject(argument, expectedTensor, given.value);
  const dtype = checkDType(`${argument}.dtype`, named, data);
  rejectUnstable(`${argument}.data`, data);
  const shape = checkShape(argument, given.shape, data);
  if (shape.length === 0) {
    throw new EflArgumentError(`${argument}.shape`, 'one or more integers >= 0', listed(shape));
  }
  return { data: bitsIn(data), length, shape, dtype, asFloat16Array };
}

function bitsIn(data: HostValues): Values {
  return isFloat16Array(data) ? bitsOf(data) : data;
}

/** Says what to do with numbers in an array of another kind. */
function expectedValues(argument: string, { data, isBare }: Given): string {
  const name = isBare ? argument : `${argument}.data`;
  const kind = kindOf(data);
  if (kind === 'Uint16Array' || (!kind && !Array.isArray(data))) return expectedTensor;
  const map = kind === 'BigInt64Array' || kind === 'BigUint64Array' ? ', Number' : '';
  return `float32 values, which Float32Array.from(${name}${map}) makes of these`;
}

/** Checks that a shape, read already, is one, and that of this data. */
export function checkShape(
  argument: string,
  shape: unknown,
  data: ArrayBufferView,
): readonly number[] {
  if (!isShape(shape)) {
    const isList = Array.isArray(shape) && shape.length <= maxDimensions;
    throw new EflArgumentError(
      `${argument}.shape`,
      `a list of at most ${maxDimensions} integers >= 0`,
      isList ? listed(shape) : describe(shape),
    );
  }
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  if (count !== lengthOf(data)) {
    reject(`${argument}.data`, `${listed(shape)} = ${count} values`, data);
  }
  return shape;
}

/** Whether these, read already, are the sizes of some dimensions. */
export function isShape(shape: unknown): shape is readonly number[] {
  return Array.isArray(shape) && shape.length <= maxDimensions && shape.every(isDimension);
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
  const sizes = shape.map((size) => (typeof size === 'number' ? String(size) : describe(size)));
  return sizes.join(' x ') || 'no dimension';
}

function isDimension(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Float32 values, as many as those of the logits; `what` says what they are. */
export function tensorAsLong(
  argument: string,
  value: unknown,
  logits: CheckedTensor<unknown>,
  what?: string,
): CheckedTensor<Float32Array> {
  const tensor = checkFloat32Tensor(argument, value);
  checkLength(argument, tensor, logits, what);
  return tensor;
}

export function checkLength(
  argument: string,
  { data, length }: CheckedTensor,
  logits: CheckedTensor<unknown>,
  what = 'values',
): void {
  if (length === logits.length) return;
  reject(argument, `${logits.length} ${what}, as many as the logits`, data);
}

/** {@link tensorAsLong}, of the shape of the logits where both have one. */
export function valuesOfSameShape(
  argument: string,
  value: unknown,
  logits: CheckedTensor<unknown>,
  what?: string,
): Float32Array {
  const tensor = tensorAsLong(argument, value, logits, what);
  checkSameShape(argument, tensor, logits);
  return tensor.data;
}

/** Refuses another shape than that of the logits, where both have one. */
export function checkSameShape(
  argument: string,
  { shape }: { readonly shape: readonly number[] | undefined },
  logits: CheckedTensor<unknown>,
): void {
  if (!shape || !logits.shape || listed(shape) === listed(logits.shape)) return;
  const expected = `the shape of the logits, ${listed(logits.shape)}`;
  throw new EflArgumentError(`${argument}.shape`, expected, listed(shape));
}
