/** 16-bit types, as raw bits: the benchmark's inputs have to be the same numbers for everybody. */

export const logitTypes = ['float32', 'float16', 'bfloat16'] as const;
export type LogitType = (typeof logitTypes)[number];

export type Bits = Float32Array | Uint16Array;

/** The nearest numbers of a type, of two equally near ones the even one. */
export function bitsOf(values: Float32Array, type: LogitType): Bits {
  if (type === 'float32') return values;
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const round = type === 'bfloat16' ? toBfloat16 : toFloat16;
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) bits[i] = round(words[i]!, values[i]!);
  return bits;
}

export function valuesOf(bits: Bits, type: LogitType): Float32Array {
  if (bits instanceof Float32Array) return bits;
  const values = new Float32Array(bits.length);
  const words = new Uint32Array(values.buffer);
  if (type === 'bfloat16') {
    for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  } else {
    for (let i = 0; i < bits.length; i++) values[i] = fromFloat16(bits[i]!);
  }
  return values;
}

// Words are the bits of a float32; a carry out of the fraction is one into the exponent.

function toBfloat16(word: number): number {
  if ((word & 0x7fffffff) > 0x7f800000) return 0x7fc0;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

const infinity = 0x7c00;
/** 65520, which is as near to 65504, the largest float16, as to what would come next. */
const tooLarge = 0x477ff000;
/** 2^-14: below, numbers are multiples of 2^-24. */
const smallestNormal = 0x38800000;

function toFloat16(word: number, value: number): number {
  const sign = (word >>> 16) & 0x8000;
  const size = word & 0x7fffffff;
  if (size > 0x7f800000) return 0x7e00;
  if (size >= tooLarge) return sign | infinity;
  // Beside 0.5 a float32 is a multiple of 2^-24.
  if (size < smallestNormal) return sign | ((Math.fround(Math.abs(value) + 0.5) - 0.5) * 2 ** 24);
  return sign | ((size + 0x0fff + ((size >>> 13) & 1) - 0x38000000) >>> 13);
}

function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
