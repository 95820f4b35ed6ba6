import {
  vectorFromArray,
  makeVector,
  tableFromArrays,
  tableFromIPC,
  tableToIPC,
} from 'apache-arrow';
import { EflArgumentError, EqualizedFocalLoss, FocalLoss, type HostTensor } from '../../lib';

/** What is used of ndarray, which has no types of its own. */
interface View extends HostTensor<Float32Array> {
  readonly shape: number[];
  readonly stride: number[];
  readonly offset: number;
  lo(...first: number[]): View;
  hi(...count: number[]): View;
  step(...strides: number[]): View;
  transpose(...axes: number[]): View;
}
// eslint-disable-next-line @typescript-eslint/no-require-imports -- a CommonJS function
const ndarray = require('ndarray') as <Data>(
  data: Data,
  shape: number[],
  stride?: number[],
  offset?: number,
) => View & { readonly data: Data };

const criterion = new FocalLoss({ numClasses: 3 });
const values = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i));
const labels = Int32Array.of(1, 0, 3, 2);
const expected = criterion.forwardBackward(values, labels);

/** The error of a call with these logits. */
function errorOf(logits: unknown, given: unknown = labels): EflArgumentError {
  try {
    criterion.forwardBackward(logits as Float32Array, given as Int32Array);
  } catch (error) {
    expect(error).toBeInstanceOf(EflArgumentError);
    return error as EflArgumentError;
  }
  throw new Error('accepted');
}

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

  test.each([
    ['transposed', ndarray(values, [3, 4]).transpose(1, 0), '3, 1'],
    ['of every second column', ndarray(new Float32Array(24), [4, 6]).step(1, 2), '3, 1'],
    ['of some columns', ndarray(new Float32Array(16), [4, 4]).hi(4, 3), '3, 1'],
  ])('is refused where it is %s', (_, view, strides) => {
    const { argument, expected: wanted } = errorOf(view);
    expect(argument).toBe('logits.stride');
    expect(wanted).toContain(`with strides ${strides}`);
  });

  test('may have any stride where a dimension is one', () => {
    const row = ndarray(values.subarray(0, 3), [1, 3], [77, 1]);
    expect(criterion.forward(row, [1]).loss).toBe(criterion.forward(values.slice(0, 3), [1]).loss);
  });

  test('is refused where it does not fit into its memory', () => {
    expect(errorOf(ndarray(values, [4, 3], [3, 1], 1)).argument).toBe('logits.data');
    expect(errorOf(ndarray(values, [4, 3], [3, 1], -1)).argument).toBe('logits.offset');
  });
});

test('strides may be a typed array, and are looked at', () => {
  const array = { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: Int32Array.of(2, 3), offset: 0 };
  const wrong = { ...array, strides: Int32Array.of(1, 2) };
  expect(errorOf(wrong).argument).toBe('logits.stride');
  expect(errorOf({ ...array, strides: 'rows' }).argument).toBe('logits.stride');
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
  expect(errorOf({ ...array, strides: [1, 4] }).argument).toBe('logits.stride');
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

  test.each([[[4, 3, 2, 2]], [[16, 3]], [[2, 3, 2, 4]], [[3, 2, 8]]])(
    'is refused as %p: that is another order',
    (shape) => {
      const given = { data: new Int32Array(48), shape };
      expect(() => criterion.forward(maps, given, call)).toThrow(
        'labels.shape: expected 2 x 3 x 4 x 2',
      );
    },
  );

  test('may be finer than that of the rows', () => {
    const rows = { data: new Float32Array(2 * 24 * 3), shape: [2, 24, 3] };
    const given = { data: new Int32Array(48), shape: [2, 3, 4, 2] };
    expect(criterion.forward(rows, given).positives).toBe(0);
    const one = { data: new Int32Array(1), dims: [], type: 'int32' };
    expect(criterion.forward({ data: new Float32Array(3), shape: [3] }, one).positives).toBe(0);
  });

  test('is refused where it belongs to other rows, of tensors', () => {
    const rows = { data: new Float32Array(18), shape: [2, 3, 3] };
    const six = new Int32Array(6);
    expect(errorOf(rows, { data: six, shape: [3, 2] }).argument).toBe('labels.shape');
    expect(errorOf(rows, { data: six, dims: [6, 2], type: 'int32' }).argument).toBe('labels.data');
    expect(errorOf(rows, { data: six, shape: [6.5] }).argument).toBe('labels.shape');
    expect(errorOf(rows, { data: six, shape: 6 }).argument).toBe('labels.shape');
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

  test('of another type is refused', () => {
    expect(errorOf({ data: new Float64Array(12), dims: [4, 3], type: 'float64' }).argument).toBe(
      'logits',
    );
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
    expect(errorOf(values, vector.concat(vector)).expected).toBe('an Arrow vector of one chunk');
    const holes = vectorFromArray([1, null, 2, 0], makeVector(labels).type);
    expect(errorOf(values, holes).expected).toContain('without nulls');
  });
});

test('statistics are collected from them, too', () => {
  const [ours, theirs] = [1, 2].map(() => new EqualizedFocalLoss({ numClasses: 3 }));
  ours!.collectGrad(expected.grad, labels);
  theirs!.collectGrad(ndarray(expected.grad, [4, 3]), makeVector(labels));
  expect(theirs!.statistics).toEqual(ours!.statistics);
});
