import { Float16Array, testWithFloat16Array } from '../reference/float16array';
import { EqualizedFocalLoss, FocalLoss } from '../../lib';
import type { HostTensor } from '../../lib';
import { expectClose, expectSame, onGpu } from '../reference/compare';
import { criterionOf, FAMILY, isStateful, makeQuality, qualityCall } from '../reference/family';
import { ALL_BITS, halvesOf, numbersOf, toHalf } from '../reference/half';
import type { HalfType } from '../reference/half';
import { countsOf, makeSample, valuesOf, wrong } from '../reference/harness';
import { classLabel } from '../reference/inputs';
import { intoMap, rowCount, shapeOf } from '../reference/layout';
import type { Level } from '../reference/layout';
import { arrangementCall, tensorOf } from '../reference/maps';

const TYPES = ['float16', 'bfloat16'] as const;
const SUMS = { relative: onGpu ? 4e-5 : 1e-6, absolute: 1e-35 };

/** The bits in so many columns, padded with zeros. */
function columnsOfBits(bits: Uint16Array, columns: number): Uint16Array {
  const padded = new Uint16Array(Math.ceil(bits.length / columns) * columns);
  padded.set(bits);
  return padded;
}

/** Labels of every kind, one class after the other. */
function cyclicLabels(rows: number, numClasses: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, row) =>
    row % 11 === 3 ? -1 : row % 3 === 0 ? 0 : classLabel(row % numClasses, 'first'),
  );
}

/** float32 values as the type has them. NaN has many patterns: those are compared as numbers. */
function rounded(values: Float32Array, type: HalfType): Float32Array {
  return numbersOf(halvesOf(values, type), type);
}

/** What the shorter kernels of a GPU may be off before they round (docs/cuda.md). */
const slack = onGpu ? 4e-5 : 0;

/** These float32 values, rounded to the type. */
function expectRounded(
  what: string,
  actual: ArrayLike<number>,
  values: Float32Array,
  type: HalfType,
): void {
  const expected = rounded(values, type);
  const bounds = [1 - slack, 1 + slack].map((factor) =>
    rounded(
      values.map((value) => value * factor),
      type,
    ),
  );
  const settled = Array.from(actual, (value, i) =>
    bounds.some((bound) => bound[i] === value) ? expected[i]! : value,
  );
  expectSame(what, settled, expected);
}

function bitsOf({ data }: HostTensor): Uint16Array {
  expect(data).toBeInstanceOf(Uint16Array);
  return data as Uint16Array;
}

describe.each(TYPES)('all 65,536 %s logits', (type) => {
  const infinity = toHalf(Infinity, type);
  const finite = ALL_BITS.filter((bits) => bits % 0x8000 < infinity);

  test.each(FAMILY)('give $name the rounded gradient of the same float32', (one) => {
    const numClasses = 17;
    const bits = columnsOfBits(ALL_BITS, numClasses);
    const rows = bits.length / numClasses;
    const labels = cyclicLabels(rows, numClasses);
    const call = qualityCall(one, makeQuality(321, rows));
    const single = criterionOf(one, { numClasses });
    const half = criterionOf(one, { numClasses });
    const expected = single.forwardBackward(numbersOf(bits, type), labels, call);
    const output = half.forwardBackward(
      { data: bits, shape: [rows, numClasses], dtype: type },
      labels,
      call,
    );
    expect(output.grad).toMatchObject({ shape: [rows, numClasses], dtype: type });
    expectRounded('grad', valuesOf(output.grad), expected.grad, type);
    expect(countsOf(output)).toEqual(countsOf(expected));
    expect(output.nonFinite).toBeGreaterThan(0);
    expect(output.loss).toBeNaN();
    if (isStateful(half) && isStateful(single)) {
      const { positive, negative } = single.statistics;
      expectClose('positive sums', half.statistics.positive, positive, SUMS);
      expectClose('negative sums', half.statistics.negative, negative, SUMS);
    }
  });

  test.each(FAMILY)('that are finite give $name the loss of the same float32', (one) => {
    const numClasses = 32;
    const bits = columnsOfBits(finite, numClasses);
    const rows = bits.length / numClasses;
    const labels = cyclicLabels(rows, numClasses);
    const options = { numClasses, reduction: 'none' } as const;
    const call = qualityCall(one, makeQuality(322, rows));
    const criterion = criterionOf(one, options);
    const expected = criterion.forward(numbersOf(bits, type), labels, call);
    const tensor = { data: bits, shape: [rows, numClasses], dtype: type } as const;
    const output = criterion.forward(tensor, labels, call);
    expectClose('loss', output.loss, expected.loss, { relative: 1e-6 });
    expectSame('elements', valuesOf(output.elements!), expected.elements!);
    expect(output.nonFinite).toBe(0);
  });

  test.each<Pick<Level, 'layout' | 'channelOrder'>>([
    { layout: 'NCHW', channelOrder: 'anchor-major' },
    { layout: 'NCHW', channelOrder: 'class-major' },
    { layout: 'NHWC', channelOrder: 'class-major' },
  ])('give in %j the rounded gradient of the same float32', (arrangement) => {
    const columns = 17;
    const level = { images: 2, height: 4, width: 241, anchors: 2, columns, ...arrangement };
    const bits = columnsOfBits(ALL_BITS, columns);
    const labels = cyclicLabels(rowCount(level, 2), columns);
    const data = intoMap(bits, level);
    const call = arrangementCall(level);
    const criterion = new FocalLoss({ numClasses: columns, gamma: 3 });
    const single = tensorOf(numbersOf(bits, type), level);
    const expected = criterion.forwardBackward(single, labels, call);
    const tensor = { data, shape: shapeOf(level), dtype: type };
    const output = criterion.forwardBackward(tensor, labels, call);
    expect(output.grad.shape).toEqual(shapeOf(level));
    expectRounded('grad', valuesOf(output.grad), valuesOf(expected.grad), type);
    expect(output.nonFinite).toBe(expected.nonFinite);
  });
});

describe.each(TYPES)('%s logits', (type) => {
  const numClasses = 13;
  const { logits: single, labels } = makeSample(323, 50, numClasses);
  const data = halvesOf(single, type);
  const logits = numbersOf(data, type);
  const tensor = { data, shape: [50, numClasses], dtype: type };

  test.each([1, 2, 7, 8, 15, 16, 33])('may be in rows of %d', (columns) => {
    const sample = makeSample(324, 41, columns);
    const bits = halvesOf(sample.logits, type);
    const criterion = new FocalLoss({ numClasses: columns });
    const expected = criterion.forwardBackward(numbersOf(bits, type), sample.labels);
    const output = criterion.forwardBackward(
      { data: bits, shape: [41, columns], dtype: type },
      sample.labels,
    );
    expectRounded('grad', valuesOf(output.grad), expected.grad, type);
    expectClose('loss', output.loss, expected.loss, { relative: 1e-6 });
  });

  test('may begin at any element of a buffer', () => {
    const buffer = new Uint16Array(data.length + 3);
    buffer.set(data, 3);
    const criterion = new FocalLoss({ numClasses });
    const output = criterion.forwardBackward({ ...tensor, data: buffer.subarray(3) }, labels);
    expect(output.grad.data).toEqual(criterion.forwardBackward(tensor, labels).grad.data);
  });

  test('have losses in float32', () => {
    const criterion = new FocalLoss({ numClasses, reduction: 'none' });
    const { elements } = criterion.forward([tensor], [labels]);
    expect(elements![0]).toMatchObject({ shape: tensor.shape, dtype: 'float32' });
    expect(elements![0]!.data).toBeInstanceOf(Float32Array);
  });

  test('are left as they were', () => {
    const kept = data.slice();
    new FocalLoss({ numClasses }).forwardBackward(tensor, labels);
    expect(data).toEqual(kept);
  });

  test('may be the levels of a list', () => {
    const levels = [0, 20].map((from) => ({
      data: data.subarray(from * numClasses, (from === 0 ? 20 : 50) * numClasses),
      shape: [from === 0 ? 20 : 30, numClasses],
      dtype: type,
    }));
    const criterion = new FocalLoss({ numClasses });
    const expected = criterion.forwardBackward(tensor, labels);
    const output = criterion.forwardBackward(levels, [labels.subarray(0, 20), labels.subarray(20)]);
    expectSame('grad', valuesOf(output.grad), valuesOf(expected.grad));
    expect(output.grad.map(({ dtype }) => dtype)).toEqual([type, type]);
  });

  test('take dense targets and upstream gradients in float32', () => {
    const criterion = new FocalLoss({ numClasses, reduction: 'none' });
    const dense = Float32Array.from(logits, (_, i) => (i % 5) / 4);
    const gradOutput = Float32Array.from(logits, (_, i) => (i % 7) - 3);
    const expected = criterion.forwardBackward(logits, dense, { gradOutput });
    const output = criterion.forwardBackward(tensor, dense, { gradOutput });
    expectRounded('grad', valuesOf(output.grad), expected.grad, type);
    expectSame('elements', valuesOf(output.elements!), expected.elements!);
  });

  test('have gradients that overflow to infinity and underflow through subnormals', () => {
    const criterion = new FocalLoss({ numClasses });
    for (const lossScale of [2 ** -132, 2 ** -20, 2 ** 17, 2 ** 126]) {
      const expected = criterion.forwardBackward(logits, labels, { lossScale });
      const output = criterion.forwardBackward(tensor, labels, { lossScale });
      expectRounded('grad', valuesOf(output.grad), expected.grad, type);
    }
  });

  test('do not round the statistics', () => {
    const half = new EqualizedFocalLoss({ numClasses });
    const plain = new EqualizedFocalLoss({ numClasses });
    half.forwardBackward(tensor, labels, { lossScale: 2 ** -40 });
    plain.forwardBackward(logits, labels);
    expectClose('positive', half.statistics.positive, plain.statistics.positive, SUMS);
    expectClose('negative', half.statistics.negative, plain.statistics.negative, SUMS);
  });

  test('are gradients to collectGrad, which takes each for its value', () => {
    const half = new EqualizedFocalLoss({ numClasses });
    const plain = new EqualizedFocalLoss({ numClasses });
    expect(half.collectGrad(tensor, labels)).toEqual(plain.collectGrad(logits, labels));
    expectClose('positive', half.statistics.positive, plain.statistics.positive, SUMS);
    expectClose('negative', half.statistics.negative, plain.statistics.negative, SUMS);
  });
});

describe('a Float16Array', () => {
  testWithFloat16Array()('gives a gradient of its kind, where the runtime has it', () => {
    const { logits, labels } = makeSample(325, 20, 5);
    const data = new Float16Array!(logits);
    const criterion = new FocalLoss({ numClasses: 5 });
    const tensor = { data: halvesOf(logits, 'float16'), shape: [20, 5], dtype: 'float16' } as const;
    const expected = criterion.forwardBackward(tensor, labels);
    for (const given of [data, { data, shape: [20, 5] }]) {
      const { grad } = criterion.forwardBackward(wrong(given), labels) as { grad: HostTensor };
      const values = 'data' in grad ? grad.data : (grad as unknown as typeof data);
      expect(values).toBeInstanceOf(Float16Array);
      expectSame('bits', new Uint16Array(values.buffer), bitsOf(expected.grad));
    }
  });
});
