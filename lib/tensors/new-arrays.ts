/** New arrays, or an EflOutOfMemoryError. */
import {
  Float32Array,
  Float64Array,
  Int32Array,
  byteLengthOf,
  lengthOf,
  uninitializedBuffer,
  viewLike,
  type PlainArray,
} from '../intrinsics';
import { withMemory } from './spare-memory';

const result = 'The result';

/** As long as `values` and of their kind, for the addon to fill: what is in it is unknown. */
export function newArrayLike<T extends PlainArray>(values: T): T {
  const buffer = withMemory(() => uninitializedBuffer(byteLengthOf(values)), result);
  return viewLike(values, buffer, 0, lengthOf(values));
}

/** For the addon to fill: what is in it is unknown. */
export function newFloat32Array(length: number): Float32Array {
  const bytes = length * Float32Array.BYTES_PER_ELEMENT;
  return new Float32Array(
    withMemory(() => uninitializedBuffer(bytes), result),
    0,
    length,
  );
}

/** Zeros. */
export function newInt32Array(length: number, what = result): Int32Array {
  return withMemory(() => new Int32Array(length), what);
}

/** Zeros. */
export function newFloat64Array(length: number, what = result): Float64Array {
  return withMemory(() => new Float64Array(length), what);
}
