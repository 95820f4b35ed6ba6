/**
 * Typed arrays and buffers as the language has them. An array can be given a `length` or a `buffer`
 * that says something else, on itself or on a class of its own, and globals can be replaced: what is
 * kept here from load time looks past all that.
 */
import { types } from 'node:util';

const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;

/** The getter of a prototype as a function of the object; undefined where the runtime has none. */
function getterOf<T>(prototype: object, name: PropertyKey): ((object: unknown) => T) | undefined {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get;
  return get && (Function.prototype.call.bind(get) as (object: unknown) => T);
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
export const kindOf = getterOf<TypedArrayKind | undefined>(
  typedArrayPrototype,
  Symbol.toStringTag,
)!;
export const lengthOf = getterOf<number>(typedArrayPrototype, 'length')!;
export const bufferOf = getterOf<ArrayBufferLike>(typedArrayPrototype, 'buffer')!;
export const byteOffsetOf = getterOf<number>(typedArrayPrototype, 'byteOffset')!;

const isResizableBuffer = getterOf<boolean>(ArrayBuffer.prototype, 'resizable');
const isGrowableBuffer = getterOf<boolean>(SharedArrayBuffer.prototype, 'growable');

/** Whether the buffer can change its size. */
export function isResizable(buffer: ArrayBufferLike): boolean {
  const asked = types.isSharedArrayBuffer(buffer) ? isGrowableBuffer : isResizableBuffer;
  return asked?.(buffer) ?? false;
}

interface Construct {
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): ArrayBufferView;
  readonly prototype: unknown;
}

// Node.js has it from version 24 on.
const { Float16Array } = globalThis as { Float16Array?: typeof Uint16Array };

const constructors = new Map(
  [
    ...[Float64Array, Float32Array, Int8Array, Uint8Array, Uint8ClampedArray, Int16Array],
    ...[Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array],
    ...(Float16Array ? [Float16Array] : []),
  ].map((construct) => [
    construct.name as TypedArrayKind,
    { construct: construct as Construct, bytes: construct.BYTES_PER_ELEMENT },
  ]),
);

const prototypes = new Set(
  [...constructors.values()].map(({ construct }) => construct.prototype as object),
);

/** Whether the buffer has been transferred away. */
export function isDetached(buffer: ArrayBufferLike): boolean {
  const { construct: View } = constructors.get('Uint8Array')!;
  try {
    new View(buffer);
    return false;
  } catch {
    return true;
  }
}

const { hasOwnProperty } = Object.prototype;

/** The array itself where it is as the language made it; else the same memory in one that is. */
export function plainView<T extends ArrayBufferView>(values: T): T {
  // One after another, not in a list: a small call would spend more on it than on its arithmetic.
  const isPlain =
    prototypes.has(Object.getPrototypeOf(values) as object) &&
    !hasOwnProperty.call(values, 'length') &&
    !hasOwnProperty.call(values, 'buffer') &&
    !hasOwnProperty.call(values, 'byteOffset') &&
    !hasOwnProperty.call(values, 'byteLength');
  return isPlain ? values : (partOf(values, 0, lengthOf(values)) as T);
}

/** The same memory from element `first` up to `last`, as far as there is any. */
export function partOf(values: ArrayBufferView, first: number, last: number): ArrayBufferView {
  const { construct: View, bytes } = constructors.get(kindOf(values)!)!;
  const length = lengthOf(values);
  const start = Math.min(first, length);
  const count = Math.max(0, Math.min(last, length) - start);
  const buffer = bufferOf(values);
  // Of what has been transferred away there is no other view; whoever looks at it finds it empty.
  if (length === 0 && isDetached(buffer)) return values;
  return new View(buffer, byteOffsetOf(values) + start * bytes, count);
}
