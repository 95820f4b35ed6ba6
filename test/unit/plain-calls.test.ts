/** Bare float32 rows with an Int32Array of labels: calls whose arrays are known at a glance. */
import { EqualizedFocalLoss, FocalLoss } from '../../lib';
import { expectRefused } from '../reference/harness';

const rows = 3;
const classes = 2;
const values = [1, -2, 0.5, 3, -1, 0.25];
const classesOfRows = [1, 0, 2];

const newLogits = (): Float32Array => Float32Array.from(values);
const newLabels = (): Int32Array => Int32Array.from(classesOfRows);

const criterion = new FocalLoss({ numClasses: classes });

describe('a call of plain rows', () => {
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

  test.each(['logits', 'labels', 'grad'] as const)(
    'is refused where a prototype of the buffer takes away %s as it is looked at',
    (name) => {
      const grad = new Float32Array(rows * classes);
      const given = { logits: newLogits(), labels: newLabels(), grad };
      const buffer = given[name].buffer as ArrayBuffer;
      const prototype = Object.getPrototypeOf(buffer) as object;
      const taking = new Proxy(prototype, {
        getPrototypeOf: () => {
          if (given[name].length > 0) structuredClone(0, { transfer: [buffer] });
          return prototype;
        },
      });
      Object.setPrototypeOf(buffer, taking);
      const { logits, labels } = given;
      expectRefused(() => criterion.forwardBackward(logits, labels, { grad }), name);
    },
  );
});
