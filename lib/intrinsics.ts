/**
 * What the language has, as it was when the package was loaded.
 *
 * Memory that native code works on while JavaScript goes on comes from here. The globals of the
 * moment may be somebody's replacement, who would get hold of that memory, and could move it away
 * in the middle of a call. And an array can be given a `length` or a `buffer` that says something
 * else, on itself or on a class of its own: what is read here looks past all that.
 */
import { Buffer, constants } from 'node:buffer';
import * as timers from 'node:timers';
import { types } from 'node:util';

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

const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;

type Getter<T> = (object: unknown) => T;

/** The getter of a prototype as a function of the object; undefined where the runtime has none. */
function getterOf(prototype: object, name: PropertyKey): Getter<unknown> | undefined {
  const property: { get?: (this: unknown) => unknown } | undefined =
    Object.getOwnPropertyDescriptor(prototype, name);
  const get = property?.get;
  return get && ((object) => get.call(object));
}

/** Names of the classes of typed arrays. */
export type TypedArrayKind =
  | 'Float64Array'
  | 'Float32Array'
  | 'Float16Array'
  | 'Int8Array'
  | 'Uint8Array'
  | 'Uint8ClampedArray'
  | 'Int16Array'
  | 'Uint16Array'
  | 'Int32Array'
  | 'Uint32Array'
  | 'BigInt64Array'
  | 'BigUint64Array';

/** Which typed array this is, also of another realm or a subclass; undefined for what is none. */
export const kindOf = getterOf(typedArrayPrototype, Symbol.toStringTag) as Getter<
  TypedArrayKind | undefined
>;
export const lengthOf = getterOf(typedArrayPrototype, 'length') as Getter<number>;
export const bufferOf = getterOf(typedArrayPrototype, 'buffer') as Getter<ArrayBufferLike>;
export const byteLengthOf = getterOf(typedArrayPrototype, 'byteLength') as Getter<number>;
export const byteOffsetOf = getterOf(typedArrayPrototype, 'byteOffset') as Getter<number>;

const isResizableBuffer = getterOf(ArrayBuffer.prototype, 'resizable');
const isGrowableBuffer = getterOf(SharedArrayBuffer.prototype, 'growable');

// The class that typed arrays make their buffers of; where tests stand in for globals, not theirs.
const { constructor: BufferClass } = new Float32Array(1).buffer;
const isArrayBuffer = Function.prototype.call.bind(
  Function.prototype[Symbol.hasInstance],
  BufferClass,
) as (buffer: ArrayBufferLike) => boolean;

/** Whether this is an `ArrayBuffer` that keeps its size; false also where that takes longer to say. */
export function isPlainBuffer(buffer: ArrayBufferLike): boolean {
  if (!isArrayBuffer(buffer)) return false;
  try {
    return isResizableBuffer?.(buffer) !== true;
  } catch {
    return false; // a shared one that pretends
  }
}

/** Whether the buffer can change its size. */
export function isResizable(buffer: ArrayBufferLike): boolean {
  const asked = types.isSharedArrayBuffer(buffer) ? isGrowableBuffer : isResizableBuffer;
  return asked?.(buffer) === true;
}

interface TypedArrayClass {
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): ArrayBufferView;
  readonly name: string;
  readonly prototype: object;
  readonly BYTES_PER_ELEMENT: number;
}

// Node.js has it from version 24 on.
const { Float16Array } = globalThis as unknown as { Float16Array?: TypedArrayClass };

const olderClasses = [
  ...[Float64Array, Float32Array, Int8Array, Uint8Array, Uint8ClampedArray, Int16Array],
  ...[Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array],
];
const classes = (
  Float16Array ? [...olderClasses, Float16Array] : olderClasses
) as TypedArrayClass[];

const classOf: ReadonlyMap<string | undefined, TypedArrayClass> = new Map(
  classes.map((each) => [each.name, each]),
);
const prototypes: ReadonlySet<unknown> = new Set(classes.map(({ prototype }) => prototype));

/** Whether the buffer has been transferred away. */
export function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

const { hasOwn } = Object;

/** The array itself where it is as the language made it; else the same memory in one that is. */
export function plainView<T extends ArrayBufferView>(values: T): T {
  // One after another, not in a list: a small call would spend more on it than on its arithmetic.
  const isPlain =
    prototypes.has(Object.getPrototypeOf(values)) &&
    !hasOwn(values, 'length') &&
    !hasOwn(values, 'buffer') &&
    !hasOwn(values, 'byteOffset') &&
    !hasOwn(values, 'byteLength');
  return isPlain ? values : (partOf(values, 0, lengthOf(values)) as T);
}

/** The same memory from element `first` up to `last`, as far as there is any. */
export function partOf(values: ArrayBufferView, first: number, last: number): ArrayBufferView {
  const View = classOf.get(kindOf(values))!;
  const length = lengthOf(values);
  const start = Math.min(first, length);
  const count = Math.max(0, Math.min(last, length) - start);
  const buffer = bufferOf(values);
  // Of what has been transferred away there is no other view; whoever looks at it finds it empty.
  if (length === 0 && isDetached(buffer)) return values;
  return new View(buffer, byteOffsetOf(values) + start * View.BYTES_PER_ELEMENT, count);
}

/** Arrays of the kinds that the kernels take, of any realm. */
export type PlainArray = Float32Array | Int32Array | Uint16Array | Uint8Array;

/** Part of a buffer as an array of the same kind as `values`. */
export function viewLike<T extends PlainArray>(
  values: T,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): T {
  const View = classOf.get(kindOf(values))!;
  return new View(buffer, byteOffset, length) as T;
}

const { apply } = Reflect;
const { value: set } = Object.getOwnPropertyDescriptor(typedArrayPrototype, 'set') as {
  value: (this: object, source: PlainArray) => void;
};

/** Writes the values of `source` into `target`. */
export function copyValues(source: PlainArray, target: PlainArray): void {
  apply(set, target, [source]);
}

const allocate = Buffer.allocUnsafeSlow.bind(Buffer);

/** Memory that holds anything: for what is written from end to end before anybody reads it. */
export function uninitializedBuffer(bytes: number): ArrayBuffer {
  if (bytes > constants.MAX_LENGTH) return new ArrayBuffer(bytes);
  return bufferOf(allocate(bytes)) as ArrayBuffer;
}
