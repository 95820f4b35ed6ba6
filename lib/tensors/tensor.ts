import { types } from 'node:util';
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

/** The values of a tensor argument, after a look at everything it says of itself. */
export function tensorData(argument: string, value: unknown): Float32Array {
  if (isFloat32Array(value)) return value;
  const expected = 'a Float32Array or { data: Float32Array, shape, dtype? }';
  if (typeof value !== 'object' || value === null) reject(argument, expected, value);
  const { data, shape, dtype } = value as Partial<HostTensor>;
  if (!isFloat32Array(data) || !Array.isArray(shape)) reject(argument, expected, value);
  if (dtype !== undefined && dtype !== 'float32') {
    reject(`${argument}.dtype`, "'float32'", dtype);
  }
  const dimensions = shape as readonly unknown[];
  if (dimensions.length === 0 || !dimensions.every(isDimension)) {
    reject(`${argument}.shape`, 'one or more integers >= 0', dimensions.join(' x '));
  }
  const count = dimensions.reduce((product, dimension) => product * dimension, 1);
  if (count !== data.length) {
    reject(`${argument}.data`, `${dimensions.join(' x ')} = ${count} values`, data);
  }
  return data;
}

function isDimension(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** The shape of a tensor; undefined for bare values. */
export function tensorShape(value: TensorLike): readonly number[] | undefined {
  return isFloat32Array(value) ? undefined : value.shape;
}

/** `data` in the form of `like`. */
export function inFormOf<T extends TensorLike>(like: T, data: Float32Array): FormOf<T> {
  const shape = tensorShape(like);
  return (shape ? { data, shape: [...shape], dtype: 'float32' } : data) as FormOf<T>;
}

/** The values of a tensor that has to be as large as the logits. */
export function tensorOfLength(argument: string, value: unknown, length: number): Float32Array {
  const data = tensorData(argument, value);
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
