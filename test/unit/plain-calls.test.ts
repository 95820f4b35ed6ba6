/** Bare float32 rows with an Int32Array of labels: calls whose arrays are known at a glance. */
import { EqualizedFocalLoss, FocalLoss } from '../../lib';
import { expectRefused } from '../reference/harness';

const rows = 3;
const classes = 2;
const values = [1, -2, 0.5, 3, -1, 0.25];
const classesOfRows = [1, 0, 2];

const newLogits = (): Float32Array => Float32Array.from(values);
const newLabels = (): Int32Array => Int32Array.from(classesOfRows);
const newGrad = (): Float32Array => new Float32Array(rows * classes);

const criterion = new FocalLoss({ numClasses: classes });

describe('a call of plain rows', () => {
  const options = { normalizer: 'positives', gradOutput: 2, lossScale: 64 } as const;

  test('gives what the same rows give in a tensor', () => {
    const [plain, general] = [1, 2].map(() => new EqualizedFocalLoss({ numClasses: classes }));
    for (let step = 0; step < 3; step++) {
      const tensor = { data: newLogits(), shape: [rows, classes] };
      const expected = general!.forwardBackward(tensor, newLabels(), { ...options });
      const found = plain!.forwardBackward(newLogits(), newLabels(), { ...options });
      expect(found).toEqual({ ...expected, grad: expected.grad.data });
      expect(plain!.forward(newLogits(), newLabels())).toEqual(
        general!.forward(tensor, newLabels()),
      );
    }
    expect(plain!.stateDict()).toEqual(general!.stateDict());
  });

  test('gives statistics as the same rows do in a tensor', () => {
    const [plain, general] = [1, 2].map(() => new EqualizedFocalLoss({ numClasses: classes }));
    const tensor = { data: newLogits(), shape: [rows, classes] };
    const expected = general!.collectGrad(tensor, newLabels(), { lossScale: 4 });
    expect(plain!.collectGrad(newLogits(), newLabels(), { lossScale: 4 })).toEqual(expected);
    expect(plain!.stateDict()).toEqual(general!.stateDict());
  });

  test('may write the gradient over the logits', () => {
    const logits = newLogits();
    const { grad } = criterion.forwardBackward(logits, newLabels(), { grad: logits });
    expect(grad).toBe(logits);
    expect(grad).toEqual(criterion.forwardBackward(newLogits(), newLabels()).grad);
  });

  test('may have all arrays side by side in one buffer', () => {
    const { buffer } = new Float32Array(2 * rows * classes + rows);
    const logits = new Float32Array(buffer, 0, rows * classes);
    const labels = new Int32Array(buffer, 4 * rows * classes, rows);
    const grad = new Float32Array(buffer, 4 * (rows * classes + rows), rows * classes);
    logits.set(values);
    labels.set(classesOfRows);
    criterion.forwardBackward(logits, labels, { grad });
    expect(grad).toEqual(criterion.forwardBackward(newLogits(), newLabels()).grad);
    expect([...logits, ...labels]).toEqual([...values, ...classesOfRows]);
  });

  test('has numbers of its own while a call of another criterion is under way', async () => {
    const other = new EqualizedFocalLoss({ numClasses: classes });
    const later = other.forwardBackwardAsync(newLogits(), newLabels(), { lossScale: 8 });
    const now = criterion.forwardBackward(newLogits(), newLabels(), { lossScale: 2 });
    const { grad } = criterion.forwardBackward(newLogits(), newLabels());
    expect(now.grad).toEqual(grad.map((value) => 2 * value));
    expect((await later).grad).toEqual(grad.map((value) => 8 * value));
  });
});

describe('a call of plain rows refuses', () => {
  const whole = (): Record<'logits' | 'labels' | 'grad', Float32Array | Int32Array> => ({
    logits: newLogits(),
    labels: newLabels(),
    grad: newGrad(),
  });
  const call = ({ logits, labels, grad }: ReturnType<typeof whole>) =>
    criterion.forwardBackward(logits as Float32Array, labels, { grad: grad as Float32Array });

  describe.each(['logits', 'labels', 'grad'] as const)('%s', (name) => {
    test('that are detached', () => {
      const given = whole();
      structuredClone(0, { transfer: [given[name].buffer as ArrayBuffer] });
      expectRefused(() => call(given), name);
    });

    test('in a buffer that can change its size', () => {
      const given = whole();
      const bytes = given[name].byteLength;
      const Resizable = ArrayBuffer as unknown as new (
        bytes: number,
        options: { maxByteLength: number },
      ) => ArrayBuffer;
      const buffer = new Resizable(bytes, { maxByteLength: 2 * bytes });
      const View = given[name].constructor as Float32ArrayConstructor;
      given[name] = new View(buffer);
      expect(expectRefused(() => call(given), name).received).toBe('a resizable buffer');
    });

    test('that a prototype of its buffer takes away while it is looked at', () => {
      const given = whole();
      const buffer = given[name].buffer as ArrayBuffer;
      const prototype = Object.getPrototypeOf(buffer) as object;
      const taking = new Proxy(prototype, {
        getPrototypeOf: () => {
          if (given[name].length > 0) structuredClone(0, { transfer: [buffer] });
          return prototype;
        },
      });
      Object.setPrototypeOf(buffer, taking);
      expectRefused(() => call(given), name);
    });
  });

  test('labels of another number of rows', () => {
    const given = { ...whole(), labels: new Int32Array(rows + 1) };
    expectRefused(() => call(given), 'labels');
  });

  test('a gradient of another length', () => {
    const given = { ...whole(), grad: new Float32Array(rows) };
    expectRefused(() => call(given), 'grad');
  });

  test('a gradient in a part of the logits', () => {
    const both = new Float32Array(rows * classes + 1);
    const given = { ...whole(), logits: both.subarray(1), grad: both.subarray(0, -1) };
    expectRefused(() => call(given), 'grad');
  });

  test('a gradient in the memory of the labels', () => {
    const grad = newGrad();
    const given = { ...whole(), grad, labels: new Int32Array(grad.buffer, 0, rows) };
    expectRefused(() => call(given), 'grad');
  });
});
