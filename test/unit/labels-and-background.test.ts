import { EqualizedFocalLoss, FocalLoss } from '../../lib';
import { expectSame } from '../reference/compare';
import type { Background } from '../reference/targets';
import {
  compareCall,
  compareFocalCall,
  equalizedPair,
  expectRefused,
  expectSameOutput,
  makeSample,
  wrong,
} from '../reference/harness';
import type { FocalOptions } from '../reference/harness';
import { relabel } from '../reference/inputs';

const rows = (count: number, columns = 3): Float32Array =>
  new Float32Array(count * columns).fill(0.5);

/** Which elements of a row of equal logits are positive: their gradient is negative. */
function positiveColumns(options: FocalOptions, label: number): number[] {
  const { numClasses } = options;
  const { grad } = new FocalLoss(options).forwardBackward(rows(1, numClasses), [label]);
  return Array.from(grad.keys()).filter((column) => grad[column]! < 0);
}

describe('background labels', () => {
  test.each<[Background, number, number[]]>([
    ['first', 0, []],
    ['first', 1, [0]],
    ['first', 3, [2]],
    ['last', 0, [0]],
    ['last', 2, [2]],
    ['last', 3, []],
    ['none', 0, [0]],
    ['none', 2, [2]],
  ])(
    "with background '%s' label %d makes the columns %p positive",
    (background, label, columns) => {
      expect(positiveColumns({ numClasses: 3, background }, label)).toEqual(columns);
    },
  );

  test("are 'first' by default", () => {
    expect(positiveColumns({ numClasses: 3 }, 1)).toEqual([0]);
  });

  test.each<Background>(['first', 'last'])(
    "agree with the reference with background '%s'",
    (background) => {
      const sample = makeSample(71, 33, 7, { background });
      const expected = compareFocalCall({ numClasses: 7, background }, sample);
      expect(expected.positives).toBeGreaterThan(0);
      expect(expected.positives + expected.ignored).toBeLessThan(33);
      compareCall(equalizedPair({ numClasses: 7, background }), sample);
    },
  );

  test("agree with the reference with background 'none'", () => {
    const sample = makeSample(72, 33, 7, { background: 'none' });
    const expected = compareFocalCall({ numClasses: 7, background: 'none' }, sample);
    expect(expected.positives + expected.ignored).toBe(33);
  });

  test('give the same results in each convention when they mean the same', () => {
    const { logits, labels } = makeSample(73, 33, 7);
    const first = new FocalLoss({ numClasses: 7 }).forwardBackward(logits, labels);
    const last = new FocalLoss({ numClasses: 7, background: 'last' });
    expectSameOutput(last.forwardBackward(logits, relabel(labels, 7, 'last')), first);
  });

  test('count rows with a class as positives and rows to ignore as ignored', () => {
    const output = new FocalLoss({ numClasses: 3 }).forward(rows(6), [0, 1, -1, 3, 0, -1]);
    expect(output).toMatchObject({ positives: 2, ignored: 2, nonFinite: 0 });
  });
});

describe('ignored labels', () => {
  test.each([-1, -100, 4, 255, 2147483647, -2147483648])('may be %d', (ignoreIndex) => {
    const criterion = new FocalLoss({ numClasses: 3, ignoreIndex });
    const output = criterion.forwardBackward(rows(2), [ignoreIndex, 1]);
    expect(output).toMatchObject({ ignored: 1, positives: 1 });
    expectSame('gradient of the ignored row', output.grad.subarray(0, 3), [0, 0, 0]);
  });

  test('may be several', () => {
    const criterion = new FocalLoss({ numClasses: 3, ignoreIndex: [-1, 255, -100] });
    const { ignored } = criterion.forward(rows(5), [255, -1, 1, -100, 0]);
    expect(ignored).toBe(3);
  });

  test('may be none', () => {
    const criterion = new FocalLoss({ numClasses: 3, ignoreIndex: [] });
    expectRefused(() => criterion.forward(rows(1), [-1]), 'labels[0]');
    expect(criterion.forward(rows(1), [0]).ignored).toBe(0);
  });

  test("may be the class count of background 'none'", () => {
    const criterion = new FocalLoss({ numClasses: 3, background: 'none', ignoreIndex: 3 });
    expect(criterion.forward(rows(2), [3, 2])).toMatchObject({ ignored: 1, positives: 1 });
  });

  test('make the default -1 a bad label when another is given', () => {
    const criterion = new FocalLoss({ numClasses: 3, ignoreIndex: 255 });
    expectRefused(() => criterion.forward(rows(1), [-1]), 'labels[0]');
  });

  test.each<[string, FocalOptions]>([
    ['the first class', { numClasses: 3, ignoreIndex: 1 }],
    ['the last class', { numClasses: 3, ignoreIndex: 3 }],
    ['background 0', { numClasses: 3, ignoreIndex: 0 }],
    ['a class in a list', { numClasses: 3, ignoreIndex: [-1, 2] }],
    ["background with 'last'", { numClasses: 3, background: 'last', ignoreIndex: 3 }],
    ["class 0 with 'last'", { numClasses: 3, background: 'last', ignoreIndex: 0 }],
    ["class 0 with 'none'", { numClasses: 3, background: 'none', ignoreIndex: 0 }],
    ['a fraction', { numClasses: 3, ignoreIndex: -1.5 }],
    ['an integer beyond 32 bits', { numClasses: 3, ignoreIndex: 2 ** 31 }],
    ['NaN', { numClasses: 3, ignoreIndex: NaN }],
    ['a text', { numClasses: 3, ignoreIndex: wrong('-1') }],
  ])('must not be %s', (_, options) => {
    expectRefused(() => new FocalLoss(options), 'ignoreIndex');
    expectRefused(() => new EqualizedFocalLoss(options), 'ignoreIndex');
  });

  test('make a row count for nothing whatever is in its logits', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 2, reduction: 'none' });
    const logits = Float32Array.of(NaN, Infinity, 0.5, -0.5, -Infinity, 1e30);
    const output = criterion.forwardBackward(logits, [-1, 1, -1]);
    expect(output).toMatchObject({ ignored: 2, positives: 1, nonFinite: 0 });
    expect(Number.isFinite(output.loss)).toBe(true);
    const ignoredElements = (values: Float32Array): number[] => [
      ...values.subarray(0, 2),
      ...values.subarray(4),
    ];
    expectSame('gradient', ignoredElements(output.grad), [0, 0, 0, 0]);
    expectSame('elements', ignoredElements(output.elements!), [0, 0, 0, 0]);
  });
});

describe('a bad label', () => {
  const bad: [string, Background, number][] = [
    ['below the ignored one', 'first', -2],
    ['one too large', 'first', 4],
    ['the largest integer', 'first', 2147483647],
    ['the smallest integer', 'first', -2147483648],
    ["one too large for 'last'", 'last', 4],
    ["the background of 'last'", 'none', 3],
  ];

  test.each(bad)('%s is refused, naming the row', (_, background, label) => {
    const criterion = new FocalLoss({ numClasses: 3, background });
    for (const row of [0, 2, 6]) {
      const labels = new Int32Array(7).fill(1);
      labels[row] = label;
      const error = expectRefused(() => criterion.forward(rows(7), labels), `labels[${row}]`);
      expect(error.received).toContain(String(label));
    }
  });

  test('of several is the first that is named', () => {
    const labels = new Int32Array(3000);
    labels[2999] = 77;
    labels[1234] = 88;
    const criterion = new FocalLoss({ numClasses: 3 });
    const error = expectRefused(() => criterion.forward(rows(3000), labels), 'labels[1234]');
    expect(error.received).toContain('88');
  });

  test('tells what a label may be', () => {
    const criterion = new FocalLoss({ numClasses: 3, ignoreIndex: 255 });
    const { expected } = expectRefused(() => criterion.forward(rows(1), [4]), 'labels[0]');
    expect(expected).toMatch(/1\D+3/);
    expect(expected).toContain('0');
    expect(expected).toContain('255');
  });

  test('does not keep the criterion from working afterwards', () => {
    const sample = makeSample(75, 9, 3);
    const pair = equalizedPair({ numClasses: 3 });
    expectRefused(() => pair.criterion.forwardBackward(rows(1), [9]), 'labels[0]');
    compareCall(pair, sample);
    expect(pair.criterion.statistics.steps).toBe(1);
  });
});
