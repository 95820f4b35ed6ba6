/** Float16Array, which Node.js has from version 24 on and older type libraries do not know. */

import { kindOf } from '../intrinsics';

/** What a `Float16Array` looks like to the compiler, whether or not its library has one. */
export interface Float16Values extends ArrayBufferView {
  readonly [Symbol.toStringTag]: 'Float16Array';
  readonly length: number;
  [index: number]: number;
}

/** The runtime's own class where the type library has it. */
export type HostFloat16Array = typeof globalThis extends { Float16Array: { prototype: infer T } }
  ? T
  : Float16Values;

type Float16Constructor = new (
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
) => Float16Values;

/** Also those of other realms; and cannot be fooled by an object that says it is one. */
export function isFloat16Array(value: unknown): value is Float16Values {
  return kindOf(value) === 'Float16Array';
}

/** The same memory as raw bits. */
export function bitsOf({ buffer, byteOffset, length }: Float16Values): Uint16Array {
  return new Uint16Array(buffer, byteOffset, length);
}

/** The same memory as numbers. Only where the caller has shown that the runtime can. */
export function float16Of({ buffer, byteOffset, length }: Uint16Array): Float16Values {
  const { Float16Array } = globalThis as unknown as { Float16Array: Float16Constructor };
  return new Float16Array(buffer, byteOffset, length);
}
