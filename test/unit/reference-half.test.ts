import { Float16Array, testWithFloat16Array } from '../reference/float16array';
import { expectSame } from '../reference/compare';
import { ALL_BITS, fromHalf, halvesOf, numbersOf, toHalf } from '../reference/half';
import type { HalfType } from '../reference/half';

const TYPES = ['float16', 'bfloat16'] as const;

/** The patterns of finite values that are not negative, in order, and of infinity behind them. */
function ascending(type: HalfType): number[] {
  const infinity = toHalf(Infinity, type);
  return Array.from(ALL_BITS.subarray(0, infinity + 1));
}

/** The next float32 above a positive one; with -1 the one below. */
function nextFloat32(value: number, step = 1): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0] = bits[0]! + step;
  return new Float32Array(bits.buffer)[0]!;
}

describe.each(TYPES)('the %s conversions of the reference', (type) => {
  test('bring every pattern back', () => {
    const values = Float64Array.from(ALL_BITS, (bits) => fromHalf(bits, type));
    const isNaNPattern = values.map((value) => (Number.isNaN(value) ? 1 : 0));
    expectSame(
      'bits',
      halvesOf(values, type).filter((_, i) => isNaNPattern[i] === 0),
      ALL_BITS.filter((_, i) => isNaNPattern[i] === 0),
    );
    expect(isNaNPattern.filter(Boolean)).toHaveLength(type === 'float16' ? 2 * 1023 : 2 * 127);
    expect(fromHalf(toHalf(NaN, type), type)).toBeNaN();
  });

  test('order the values as their patterns', () => {
    const values = ascending(type).map((bits) => fromHalf(bits, type));
    expect(values.every((value, i) => i === 0 || value > values[i - 1]!)).toBe(true);
    expectSame(
      'negative ones',
      ascending(type).map((bits) => fromHalf(0x8000 + bits, type)),
      values.map((value) => -value),
    );
  });

  test('round to the nearest neighbour, and half-way to the even one', () => {
    const finiteButLast = ascending(type).slice(0, -2);
    const wrong = finiteButLast.filter((bits) => {
      const middle = (fromHalf(bits, type) + fromHalf(bits + 1, type)) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      return (
        toHalf(middle, type) !== even ||
        toHalf(nextFloat32(middle, -1), type) !== bits ||
        toHalf(nextFloat32(middle), type) !== bits + 1 ||
        toHalf(-middle, type) !== 0x8000 + even
      );
    });
    expect(wrong).toEqual([]);
    expect(toHalf(Number.MAX_VALUE, type)).toBe(toHalf(Infinity, type));
  });
});

describe('the float16 conversions of the reference', () => {
  test.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x0001, 2 ** -24],
    [0x03ff, 2 ** -14 - 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
  ])('have for the bits %i the value %d', (bits, value) => {
    expectSame('value', fromHalf(bits, 'float16'), value);
    expect(toHalf(value, 'float16')).toBe(bits);
  });

  test('become infinite from half a step above the largest value', () => {
    expect(toHalf(65519.99, 'float16')).toBe(0x7bff);
    expect(toHalf(65520, 'float16')).toBe(0x7c00);
    expect(toHalf(2 ** -25, 'float16')).toBe(0);
    expect(toHalf(2 ** -25 * 1.001, 'float16')).toBe(1);
  });

  testWithFloat16Array()('are those of Float16Array, where the runtime has it', () => {
    expectSame('values', numbersOf(ALL_BITS, 'float16'), new Float16Array!(ALL_BITS.buffer));
    const values = Float64Array.from({ length: 100_000 }, (_, i) => (i - 50_000) * 1.37 ** (i % 9));
    expectSame(
      'bits',
      halvesOf(values, 'float16'),
      new Uint16Array(new Float16Array!(values).buffer),
    );
  });
});

describe('the bfloat16 conversions of the reference', () => {
  test('are the upper halves of float32', () => {
    const words = Uint32Array.from(ALL_BITS, (bits) => bits * 65536);
    expectSame('values', numbersOf(ALL_BITS, 'bfloat16'), new Float32Array(words.buffer));
  });
});
