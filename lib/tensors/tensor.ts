import { types } from 'node:util';
import { EflArgumentError } from '../errors';
import { reject } from '../validation';

/** Element type of a tensor. */
export type DType = 'float32';

/**
 * A tensor in host memory: any object of this shape is accepted. `shape` lists the dimensions, the
 * last one varying fastest; their product is the length of `data`.
 */
export interface HostTensor {
  readonly data: Float32Array;
  readonly shape: readonly number[];
  readonly dtype?: DType | undefined;
}

/** Values with or without a shape. */
export type TensorLike = Float32Array | HostTensor;

/** Results come back in the form of the input: bare values for bare values, a tensor for a tensor. */
export type FormOf<T extends TensorLike> = T extends Float32Array ? Float32Array : HostTensor;

/** Works across realms (Jest, vm contexts), where `instanceof` does not. */
export function isFloat32Array(value: unknown): value is Float32Array {
  return types.isFloat32Array(value);
}

/** A tensor argument, read once: whatever happens to the caller's object later, this is what it was. */
export interface CheckedTensor {
  readonly data: Float32Array;
  /** Undefined for bare values. */
  readonly shape: readonly number[] | undefined;
}

/** Looks at everything a tensor argument says of itself. */
export function checkTensor(argument: string, value: unknown): CheckedTensor {
  if (isFloat32Array(value)) return { data: value, shape: undefined };
  const expected = 'a Float32Array or { data: Float32Array, shape, dtype? }';
  if (typeof value !== 'object' || value === null) reject(argument, expected, value);
  const { data, shape: given, dtype } = value as Partial<HostTensor>;
  if (!isFloat32Array(data) || !Array.isArray(given)) reject(argument, expected, value);
  if (dtype !== undefined && dtype !== 'float32') {
    reject(`${argument}.dtype`, "'float32'", dtype);
  }
  // Array.from also fills the holes of a sparse array, for the check to find.
  const shape: unknown[] = Array.from(given as ArrayLike<unknown>);
  if (shape.length === 0 || !shape.every(isDimension)) {
    throw new EflArgumentError(`${argument}.shape`, 'one or more integers >= 0', listed(shape));
  }
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  if (count !== data.length) {
    reject(`${argument}.data`, `${listed(shape)} = ${count} values`, data);
  }
  return { data, shape };
}

/** A shape for error messages: `2 x 3`. */
export function listed(shape: readonly unknown[]): string {
  return shape.map(String).join(' x ') || 'no dimension';
}

function isDimension(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** `data` in the form of a tensor that was checked: bare, or with the same shape. */
export function inFormOf({ shape }: CheckedTensor, data: Float32Array): TensorLike {
  return shape ? { data, shape: [...shape], dtype: 'float32' } : data;
}

/** The values of a tensor that has to be as large as the logits. */
export function tensorOfLength(argument: string, value: unknown, length: number): Float32Array {
  const { data } = checkTensor(argument, value);
  if (data.length !== length) {
    reject(argument, `${length} values, as many as the logits`, data);
  }
  return data;
}

function overlaps(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return (
    a.buffer === b.buffer &&
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength
  );
}

/** Refuses an output that shares memory with an input. */
export function rejectOverlap(
  argument: string,
  output: Float32Array,
  inputName: string,
  input: ArrayBufferView,
): void {
  if (overlaps(output, input)) reject(argument, `memory apart from ${inputName}`, output);
}

/** The same, but the output may be exactly the input. */
export function rejectPartialOverlap(
  argument: string,
  output: Float32Array,
  inputName: string,
  input: Float32Array,
): void {
  const same = output.byteOffset === input.byteOffset && output.length === input.length;
  if (!same && overlaps(output, input)) {
    reject(argument, `memory apart from ${inputName}, or exactly that of ${inputName}`, output);
  }
}
