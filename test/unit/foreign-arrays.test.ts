import {
  vectorFromArray,
  makeVector,
  tableFromArrays,
  tableFromIPC,
  tableToIPC,
} from 'apache-arrow';
import { EqualizedFocalLoss, FocalLoss } from '../../lib';
import { expectRefused, wrong } from '../reference/harness';
import { ndarray } from '../reference/ndarray';

const criterion = new FocalLoss({ numClasses: 3 });
const values = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i));
const labels = Int32Array.of(1, 0, 3, 2);
const expected = criterion.forwardBackward(values, labels);

describe('an array of ndarray', () => {
  test('is a tensor of its shape, with a gradient in that form', () => {
    const { loss, grad } = criterion.forwardBackward(ndarray(values, [2, 2, 3]), labels);
    expect(loss).toBe(expected.loss);
    expect(grad).toEqual({ data: expected.grad, shape: [2, 2, 3], dtype: 'float32' });
  });

  test('is read from its offset on where it is a part of the rows of another', () => {
    const view = ndarray(values, [4, 3]).lo(1).hi(2);
    const { loss } = criterion.forward(view, labels.subarray(1, 3));
    expect(loss).toBe(criterion.forward(values.slice(3, 9), labels.slice(1, 3)).loss);
  });

  test('takes the gradient', () => {
    const grad = ndarray(new Float32Array(15), [4, 3], [3, 1], 3);
    expect(criterion.forwardBackward(values, labels, { grad }).grad).toBe(grad);
    expect(grad.data.slice(3)).toEqual(expected.grad);
    expect([...grad.data.slice(0, 3)]).toEqual([0, 0, 0]);
  });

  test('has labels in 32-bit integers', () => {
    const { loss } = criterion.forward(values, ndarray(labels, [2, 2]));
    expect(loss).toBe(expected.loss);
    expect(() => criterion.forward(values, ndarray(labels, [4]).lo(1))).toThrow('4 labels');
  });

  test('may have any stride where a dimension is one', () => {
    const row = ndarray(values.subarray(0, 3), [1, 3], [77, 1]);
    expect(criterion.forward(row, [1]).loss).toBe(criterion.forward(values.slice(0, 3), [1]).loss);
  });
});

test('an array of @stdlib/ndarray is one with strides in the plural', () => {
  const array = {
    data: values,
    shape: [4, 3],
    strides: [3, 1],
    offset: 0,
    dtype: 'float32' as const,
  };
  expect(criterion.forward(array, labels).loss).toBe(expected.loss);
});

describe('a shape of labels', () => {
  const maps = { data: new Float32Array(2 * 3 * 4 * 2 * 3), shape: [2, 3, 4, 6] };
  const call = { layout: 'NHWC', anchors: 2 } as const;

  test.each([
    [[48]],
    [[2, 24]],
    [[2, 3, 8]],
    [[2, 12, 2]],
    [[2, 3, 4, 2]],
    [[6, 4, 1, 2]],
    [[2, 3, 2, 2, 2]],
  ])('may be %p for maps of 2 x 3 x 4 positions with 2 anchors', (shape) => {
    const given = { data: new Int32Array(48), shape };
    expect(criterion.forward(maps, given, call).positives).toBe(0);
  });

  test('may be finer than that of the rows', () => {
    const rows = { data: new Float32Array(2 * 24 * 3), shape: [2, 24, 3] };
    const given = { data: new Int32Array(48), shape: [2, 3, 4, 2] };
    expect(criterion.forward(rows, given).positives).toBe(0);
    const one = { data: new Int32Array(1), dims: [], type: 'int32' };
    expect(criterion.forward({ data: new Float32Array(3), shape: [3] }, one).positives).toBe(0);
  });
});

describe('a tensor of onnxruntime', () => {
  test('is a tensor of its dims, with a gradient in the form of ours', () => {
    const { loss, grad } = criterion.forwardBackward(
      { data: values, dims: [4, 3], type: 'float32' },
      { data: labels, dims: [4], type: 'int32' },
    );
    expect(loss).toBe(expected.loss);
    expect(grad).toEqual({ data: expected.grad, shape: [4, 3], dtype: 'float32' });
  });
});

describe('a vector of Apache Arrow', () => {
  test('is bare values, logits and labels', () => {
    const { loss, grad } = criterion.forwardBackward(makeVector(values), makeVector(labels));
    expect(loss).toBe(expected.loss);
    expect(grad).toEqual(expected.grad);
  });

  test('is read from its offset on where it is a slice', () => {
    const logits = vectorFromArray(values).slice(3, 9);
    const { loss } = criterion.forward(logits, makeVector(labels).slice(1, 3));
    expect(loss).toBe(criterion.forward(values.slice(3, 9), labels.slice(1, 3)).loss);
  });

  test('may come from a file, where it is padded', () => {
    const table = tableFromIPC(tableToIPC(tableFromArrays({ labels: labels.subarray(0, 3) })));
    const column = table.getChild('labels')!;
    expect(criterion.forward(values.subarray(0, 9), column).loss).toBe(
      criterion.forward(values.subarray(0, 9), labels.subarray(0, 3)).loss,
    );
  });

  test('of several chunks, or with nulls, is refused', () => {
    const vector = makeVector(labels);
    const expectedOf = (rows: object): string =>
      expectRefused(() => criterion.forwardBackward(values, wrong(rows)), 'labels').expected;
    expect(expectedOf(vector.concat(vector))).toBe('an Arrow vector of one chunk');
    const holes = vectorFromArray([1, null, 2, 0], makeVector(labels).type);
    expect(expectedOf(holes)).toContain('without nulls');
  });
});

test('statistics are collected from them, too', () => {
  const [ours, theirs] = [1, 2].map(() => new EqualizedFocalLoss({ numClasses: 3 }));
  ours!.collectGrad(expected.grad, labels);
  theirs!.collectGrad(ndarray(expected.grad, [4, 3]), makeVector(labels));
  expect(theirs!.statistics).toEqual(ours!.statistics);
});
