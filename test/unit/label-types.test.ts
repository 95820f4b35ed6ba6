import { EflArgumentError, EqualizedFocalLoss, FocalLoss, repeatFactors } from '../../lib';
import type { Labels } from '../../lib';
import { expectSame } from '../reference/compare';
import { expectRefused, expectSameState, makeSample, stateOf, wrong } from '../reference/harness';

const ROWS = 6;
const CLASSES = 4;
const { logits } = makeSample(77, ROWS, CLASSES);
const plain = [1, 0, 4, 2, 0, 3];
const expected = new EqualizedFocalLoss({ numClasses: CLASSES });
const wanted = expected.forwardBackward(logits, plain);

type Arrays = [name: string, make: (labels: number[]) => Exclude<Labels, readonly unknown[]>];

const arrays: Arrays[] = [
  ['an Int8Array', (labels) => Int8Array.from(labels)],
  ['a Uint8Array', (labels) => Uint8Array.from(labels)],
  ['a Uint8ClampedArray', (labels) => Uint8ClampedArray.from(labels)],
  ['a Buffer', (labels) => Buffer.from(labels)],
  ['an Int16Array', (labels) => Int16Array.from(labels)],
  ['a Uint16Array', (labels) => Uint16Array.from(labels)],
  ['an Int32Array', (labels) => Int32Array.from(labels)],
  ['a Uint32Array', (labels) => Uint32Array.from(labels)],
  ['a BigInt64Array', (labels) => BigInt64Array.from(labels, BigInt)],
  ['a BigUint64Array', (labels) => BigUint64Array.from(labels, BigInt)],
  [
    'int64 as onnxruntime gives it',
    (labels) => ({ data: BigInt64Array.from(labels, BigInt), dims: [ROWS], type: 'int64' }),
  ],
  [
    'uint8 as onnxruntime gives it',
    (labels) => ({ data: Uint8Array.from(labels), dims: [ROWS], type: 'uint8' }),
  ],
  [
    'a tensor of a Uint16Array without a float type',
    (labels) => ({ data: Uint16Array.from(labels), shape: [ROWS] }),
  ],
];

describe.each<Arrays>(arrays)('labels in %s', (_, make) => {
  test('are those of a synchronous call', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: CLASSES });
    expect(criterion.forward(logits, make(plain)).loss).toBe(wanted.loss);
    expectSame('grad', criterion.forwardBackward(logits, make(plain)).grad, wanted.grad);
    expectSameState(stateOf(criterion), stateOf(expected));
  });

  test('are those of an asynchronous call', async () => {
    const criterion = new EqualizedFocalLoss({ numClasses: CLASSES });
    const { grad } = await criterion.forwardBackwardAsync(logits, make(plain));
    expectSame('grad', grad, wanted.grad);
    expectSameState(stateOf(criterion), stateOf(expected));
  });

  test('are those of a level in a list', () => {
    const tensor = { data: logits, shape: [ROWS, CLASSES] };
    const criterion = new FocalLoss({ numClasses: CLASSES });
    const list = criterion.forward([tensor, tensor], [make(plain), plain]);
    expect(list.positives).toBe(8);
  });

  test('are those of gradients from outside', async () => {
    const one = new EqualizedFocalLoss({ numClasses: CLASSES });
    const other = new EqualizedFocalLoss({ numClasses: CLASSES });
    one.collectGrad(wanted.grad, make(plain));
    other.collectGrad(wanted.grad, plain);
    expectSameState(stateOf(one), stateOf(other));
    await one.collectGradAsync(wanted.grad, make(plain));
    expect(one.statistics.steps).toBe(2);
  });
});

test('labels of a shape are those of the rows', () => {
  const data = BigInt64Array.from(plain, BigInt);
  const tensor = { data: logits, shape: [2, 3, CLASSES] };
  const criterion = new FocalLoss({ numClasses: CLASSES });
  expect(criterion.forward(tensor, { data, dims: [2, 3], type: 'int64' }).positives).toBe(4);
});

describe('classes of images', () => {
  const plainly = repeatFactors([[1, 2], [2], [], [2]], { threshold: 0.5 });

  test.each([
    [[Int32Array.of(1, 2), Uint8Array.of(2), new Int32Array(0), Int16Array.of(2)]],
    [[new Set([1, 2]), new Set([2]), new Set<number>(), new Set([2])]],
    [[BigInt64Array.of(1n, 2n), [2], BigUint64Array.of(), new Set([2])]],
  ])('may be integer arrays and sets: %p', (imageClasses) => {
    expect(repeatFactors(imageClasses, { threshold: 0.5 })).toEqual(plainly);
  });

  test.each<[unknown, string]>([
    [[[1], 2], 'imageClasses[1]'],
    [[[1], Float32Array.of(2)], 'imageClasses[1]'],
    [[[1], '12'], 'imageClasses[1]'],
    [[new Map([[1, 2]])], 'imageClasses[0]'],
    [[new Set([1, 2.5])], 'imageClasses[0][1]'],
    [[BigInt64Array.of(2n ** 60n)], 'imageClasses[0][0]'],
  ])('are refused where they are no integers: %p', (imageClasses, argument) => {
    const factors = (): unknown => repeatFactors(wrong(imageClasses));
    expect(factors).toThrow(EflArgumentError);
    expectRefused(factors, argument);
  });
});
