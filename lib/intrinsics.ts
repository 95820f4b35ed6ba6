/**
 * What the language has, as it was when the package was loaded.
 *
 * Memory that native code works on while JavaScript goes on comes from here. The globals of the
 * moment may be somebody's replacement, who would get hold of that memory, and could move it away
 * in the middle of a call.
 */
import { Buffer, constants } from 'node:buffer';
import * as timers from 'node:timers';

export const ArrayBuffer = globalThis.ArrayBuffer;
export const Float32Array = globalThis.Float32Array;
export const Float64Array = globalThis.Float64Array;
export const Int32Array = globalThis.Int32Array;
export const Promise = globalThis.Promise;
export const Uint16Array = globalThis.Uint16Array;
export const Uint8Array = globalThis.Uint8Array;
export const structuredClone = globalThis.structuredClone;
// Those of Node.js, also where a page's globals stand in for them.
export const { setImmediate, setInterval, clearInterval } = timers;

/** Arrays of these kinds, of any realm. */
export type PlainArray = Float32Array | Int32Array | Uint16Array;

const kinds = { Float32Array, Int32Array, Uint16Array };

const { apply } = Reflect;
const typedArrays = Object.getPrototypeOf(Float32Array.prototype) as object;

/** What the prototype of all typed arrays has under a name. */
function inherited(name: string | symbol): PropertyDescriptor {
  return Object.getOwnPropertyDescriptor(typedArrays, name)!;
}

function reader(name: string | symbol): (values: object) => unknown {
  const { get: read } = inherited(name) as { get: (this: object) => unknown };
  return (values) => apply(read, values, []);
}

// What an array really has, whatever a property of its own says.
export const bufferOf = reader('buffer') as (values: object) => ArrayBuffer;
export const byteLengthOf = reader('byteLength') as (values: object) => number;
export const byteOffsetOf = reader('byteOffset') as (values: object) => number;
export const lengthOf = reader('length') as (values: object) => number;
const nameOf = reader(Symbol.toStringTag) as (values: object) => keyof typeof kinds;

/** Part of a buffer as an array of the same kind as `values`. */
export function viewLike<T extends PlainArray>(
  values: T,
  buffer: ArrayBuffer,
  byteOffset: number,
  length: number,
): T {
  return new kinds[nameOf(values)](buffer, byteOffset, length) as T;
}

const set = inherited('set').value as (this: object, source: PlainArray) => void;

/** Writes the values of `source` into `target`. */
export function copyValues(source: PlainArray, target: PlainArray): void {
  apply(set, target, [source]);
}

const allocate = Buffer.allocUnsafeSlow.bind(Buffer);

/** Memory that holds anything: for what is written from end to end before anybody reads it. */
export function uninitializedBuffer(bytes: number): ArrayBuffer {
  if (bytes > constants.MAX_LENGTH) return new ArrayBuffer(bytes);
  return bufferOf(allocate(bytes));
}
