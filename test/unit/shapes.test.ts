import { runInNewContext } from 'node:vm';
import { EqualizedFocalLoss, FocalLoss } from '../../lib';
import type { HostTensor } from '../../lib';
import { expectSame } from '../reference/compare';
import {
  compareCall,
  compareFocalCall,
  equalizedPair,
  expectSameOutput,
  makeSample,
  stateOf,
  valuesOf,
} from '../reference/harness';

describe('shapes', () => {
  test.each([
    [1, 1],
    [1, 5],
    [1, 80],
    [2, 1],
    [3, 2],
    [4, 16],
    [5, 17],
    [7, 31],
    [64, 1],
    [1001, 1],
    [257, 3],
    [13, 1203],
    [3, 4099],
    [2000, 65],
  ])('of %d rows and %d classes agree with the reference', (rows, numClasses) => {
    const sample = makeSample(rows + numClasses, rows, numClasses);
    compareFocalCall({ numClasses }, sample);
    const pair = equalizedPair(
      { numClasses },
      Array.from({ length: numClasses }, (_, j) => (j % 5) / 4),
    );
    const { loss } = compareCall(pair, sample);
    expect(loss > 0 || sample.labels.every((label) => label === -1)).toBe(true);
  });

  test.each(['sum', 'mean', 'none'] as const)(
    'without rows give loss 0, no gradient and no counts with reduction %s',
    (reduction) => {
      const criterion = new EqualizedFocalLoss({ numClasses: 3, reduction });
      const output = criterion.forwardBackward(new Float32Array(0), []);
      expect(output).toMatchObject({ loss: 0, positives: 0, ignored: 0, nonFinite: 0 });
      expect(output.grad).toHaveLength(0);
      expect(output.elements ?? []).toHaveLength(0);
      expect(criterion.forward(new Float32Array(0), new Int32Array(0)).loss).toBe(0);
      expect(criterion.statistics.steps).toBe(0);
    },
  );

  test("without rows work with the normalizer 'positives'", () => {
    const criterion = new FocalLoss({ numClasses: 3 });
    expect(criterion.forward(new Float32Array(0), [], { normalizer: 'positives' }).loss).toBe(0);
  });

  test('with only ignored rows give loss 0 and a gradient of zeros', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 5 });
    const labels = new Int32Array(9).fill(-1);
    const output = criterion.forwardBackward(new Float32Array(45).fill(2), labels);
    expect(output).toMatchObject({ loss: 0, positives: 0, ignored: 9, nonFinite: 0 });
    expectSame('grad', output.grad, new Float32Array(45));
  });
});

describe('host tensors', () => {
  const { logits, labels } = makeSample(91, 24, 5);
  const criterion = new FocalLoss({ numClasses: 5, reduction: 'none' });
  const bare = criterion.forwardBackward(logits, labels);

  test.each<[string, number[]]>([
    ['rank 2', [24, 5]],
    ['rank 3', [4, 6, 5]],
    ['rank 4', [2, 3, 4, 5]],
    ['rank 6 with ones', [1, 24, 1, 1, 1, 5]],
  ])('of %s give the results of the bare array, in their own shape', (_, shape) => {
    const output = criterion.forwardBackward({ data: logits, shape }, labels);
    expectSameOutput(output, bare);
    expect(output.grad.shape).toEqual(shape);
    expect(output.elements!.shape).toEqual(shape);
  });

  test('of rank 1 are one row', () => {
    const output = criterion.forwardBackward({ data: logits.subarray(0, 5), shape: [5] }, [2]);
    expect(output.positives).toBe(1);
    expect(output.grad.shape).toEqual([5]);
  });

  test('may name their dtype', () => {
    const tensor: HostTensor = { data: logits, shape: [24, 5], dtype: 'float32' };
    expectSameOutput(criterion.forwardBackward(tensor, labels), bare);
  });

  test('may have no rows', () => {
    const output = criterion.forwardBackward({ data: new Float32Array(0), shape: [0, 7, 5] }, []);
    expect(output.loss).toBe(0);
    expect(output.grad.shape).toEqual([0, 7, 5]);
  });

  test('may be objects of any class, with more in them', () => {
    class Volume {
      readonly data = logits;
      readonly shape = [24, 5] as const;
      readonly name = 'scores';
    }
    expectSameOutput(criterion.forwardBackward(new Volume(), labels), bare);
  });

  test('keep their shape to themselves: results hold a copy', () => {
    const shape = [24, 5];
    const { grad } = criterion.forwardBackward({ data: logits, shape }, labels);
    shape[0] = 99;
    expect(grad.shape).toEqual([24, 5]);
  });

  test('give results that can be the input of the next call', () => {
    const { grad } = criterion.forwardBackward({ data: logits, shape: [4, 6, 5] }, labels);
    expect(valuesOf(criterion.forwardBackward(grad, labels).grad)).toHaveLength(120);
  });
});

describe('views', () => {
  const { logits, labels } = makeSample(92, 21, 7);
  const expected = new FocalLoss({ numClasses: 7 }).forwardBackward(logits, labels);

  test.each([1, 2, 3, 5])('of logits that start %d elements into a buffer work', (offset) => {
    const around = new Float32Array(logits.length + offset + 4).fill(NaN);
    around.set(logits, offset);
    const view = around.subarray(offset, offset + logits.length);
    expect(view.byteOffset).toBe(4 * offset);
    expectSameOutput(new FocalLoss({ numClasses: 7 }).forwardBackward(view, labels), expected);
  });

  test('of labels that start within a buffer work', () => {
    const around = new Int32Array(labels.length + 5).fill(99);
    around.set(labels, 3);
    const view = around.subarray(3, 3 + labels.length);
    expectSameOutput(new FocalLoss({ numClasses: 7 }).forwardBackward(logits, view), expected);
  });

  test('of a gradient buffer keep what is around them', () => {
    const around = new Float32Array(logits.length + 6).fill(42);
    const grad = around.subarray(3, 3 + logits.length);
    const output = new FocalLoss({ numClasses: 7 }).forwardBackward(logits, labels, { grad });
    expect(output.grad).toBe(grad);
    expectSame('inside', grad, expected.grad);
    expectSame('before', around.subarray(0, 3), [42, 42, 42]);
    expectSame('behind', around.subarray(3 + logits.length), [42, 42, 42]);
  });

  test('of one buffer may be logits and gradient side by side', () => {
    const both = new Float32Array(2 * logits.length);
    both.set(logits);
    const grad = both.subarray(logits.length);
    const input = both.subarray(0, logits.length);
    new FocalLoss({ numClasses: 7 }).forwardBackward(input, labels, { grad });
    expectSame('logits', input, logits);
    expectSame('gradient', grad, expected.grad);
  });

  test('of shared memory work', () => {
    const shared = new Float32Array(new SharedArrayBuffer(4 * logits.length));
    shared.set(logits);
    expectSameOutput(new FocalLoss({ numClasses: 7 }).forwardBackward(shared, labels), expected);
  });

  test('of shared memory may be everything there is, and the gradient goes there', () => {
    const memory = new SharedArrayBuffer(4 * (2 * logits.length + labels.length));
    const input = new Float32Array(memory, 0, logits.length);
    const grad = new Float32Array(memory, 4 * logits.length, logits.length);
    const rows = new Int32Array(memory, 8 * logits.length, labels.length);
    input.set(logits);
    rows.set(labels);
    const criterion = new FocalLoss({ numClasses: 7 });
    expectSameOutput(criterion.forwardBackward(input, rows, { grad }), expected);
  });

  test('of another realm work, as arrays from a vm context are', () => {
    const context = { values: Array.from(logits), rows: Array.from(labels) };
    const foreign = runInNewContext(
      '({ logits: new Float32Array(values), labels: new Int32Array(rows), list: [...rows] })',
      context,
    ) as { logits: Float32Array; labels: Int32Array; list: number[] };
    const criterion = new FocalLoss({ numClasses: 7 });
    expectSameOutput(criterion.forwardBackward(foreign.logits, foreign.labels), expected);
    const tensor = { data: foreign.logits, shape: [21, 7] };
    expectSameOutput(criterion.forwardBackward(tensor, foreign.list), expected);
  });

  test('in a tensor work as bare ones', () => {
    const around = new Float32Array(logits.length + 1);
    around.set(logits, 1);
    const pair = new EqualizedFocalLoss({ numClasses: 7 });
    const output = pair.forwardBackward({ data: around.subarray(1), shape: [3, 7, 7] }, labels);
    expectSameOutput(output, expected);
    expect(stateOf(pair).steps).toBe(1);
  });
});
