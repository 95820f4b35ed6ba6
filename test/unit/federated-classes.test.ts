import fc from 'fast-check';
import { federatedClasses } from '../../lib';
import { check } from '../properties/support';
import { expectRefused, wrong } from '../reference/harness';

const columnsOf = (classes: Uint8Array): number[] =>
  [...classes.keys()].filter((j) => classes[j] === 1);

const none = { background: 'none' } as const;

test('a set has the classes of the batch and others, up to its size', () => {
  const counts = Array.from({ length: 80 }, (_, j) => 1000 - 10 * j);
  const classes = federatedClasses([3, 70, 3], { counts, size: 12, ...none });
  expect(classes).toBeInstanceOf(Uint8Array);
  expect(classes).toHaveLength(80);
  expect(columnsOf(classes)).toHaveLength(12);
  expect(columnsOf(classes)).toEqual(expect.arrayContaining([3, 70]));
});

test('a set has 50 places, and each step and seed fills them anew', () => {
  const counts = Float32Array.from({ length: 1203 }, (_, j) => 1 + j);
  const sets = [
    federatedClasses([5], { counts }),
    federatedClasses([5], { counts, step: 1 }),
    federatedClasses([5], { counts, seed: 1 }),
    federatedClasses([5], { counts, step: 2 ** 40 }),
  ];
  for (const set of sets) expect(columnsOf(set)).toHaveLength(50);
  expect(new Set(sets.map((set) => set.join())).size).toBe(4);
  expect(federatedClasses([5], { counts, step: 1 })).toEqual(sets[1]);
});

test('where the batch has as many classes as the size or more, these alone take part', () => {
  const counts = new Array<number>(20).fill(5);
  const present = [1, 4, 9, 16];
  for (const size of [1, 3, 4]) {
    expect(columnsOf(federatedClasses(present, { counts, size, ...none }))).toEqual(present);
  }
});

test('background takes a place, unless the options say otherwise', () => {
  const counts = [9, 9, 9, 9, 9, 9];
  const sizeOf = (labels: number[], options: object): number =>
    columnsOf(federatedClasses(labels, { counts, size: 4, ...options })).length;
  expect(sizeOf([1, 2], {})).toBe(4);
  expect(sizeOf([1, 2, 0], {})).toBe(3);
  expect(sizeOf([1, 2, 0], { countBackground: false })).toBe(4);
  expect(sizeOf([0, 1, 6], { background: 'last' })).toBe(3);
});

test('a class without examples is never drawn; with power 0 it may be', () => {
  const counts = [4, 0, 0, 2, 0];
  const all = { counts, size: 5, ...none };
  expect(columnsOf(federatedClasses([1], all))).toEqual([0, 1, 3]);
  expect(columnsOf(federatedClasses([1], { ...all, power: 0 }))).toEqual([0, 1, 2, 3, 4]);
  expect(columnsOf(federatedClasses([1], { ...all, counts: [0, 0, 0] }))).toEqual([1]);
});

test('labels come in any form, as levels, or as a set', () => {
  const options = { counts: [3, 1, 4, 1, 5, 9, 2, 6], size: 5, seed: 8 };
  const expected = federatedClasses([0, 4, 7, -1], options);
  for (const labels of [
    ...[Int32Array.of(0, 4, 7, -1), BigInt64Array.of(7n, 4n, 0n, -1n), new Set([4, 7, 0])],
    ...[[[4, 0], Int8Array.of(-1, 7)], { data: Int16Array.of(0, 4, 7, -1), shape: [2, 2] }],
  ]) {
    expect(federatedClasses(labels, options)).toEqual(expected);
  }
});

test('absent classes are drawn in proportion to count^power, without replacement', () => {
  const counts = [16, 4, 1, 100];
  const sets = 40_000;
  const [once, pairs] = [new Float64Array(4), new Map<string, number>()];
  for (let step = 0; step < sets; step++) {
    const first = columnsOf(federatedClasses([3], { counts, size: 2, step, ...none }));
    once[first.find((j) => j !== 3)!]! += 1;
    const both = columnsOf(federatedClasses([3], { counts, size: 3, step, ...none })).join();
    pairs.set(both, (pairs.get(both) ?? 0) + 1);
  }
  // Weights 4, 2, 1. Five standard deviations of a share are 0.0125.
  [4 / 7, 2 / 7, 1 / 7].forEach((share, j) => {
    expect(Math.abs(once[j]! / sets - share)).toBeLessThan(0.0125);
  });
  const ofPair = (a: number, b: number): number =>
    (a / 7) * (b / (7 - a)) + (b / 7) * (a / (7 - b));
  for (const [pair, share] of [
    ['0,1,3', ofPair(4, 2)],
    ['0,2,3', ofPair(4, 1)],
    ['1,2,3', ofPair(2, 1)],
  ] as const) {
    expect(Math.abs(pairs.get(pair)! / sets - share)).toBeLessThan(0.0125);
  }
});

test('a set has all classes of the batch, and never more than it may', () => {
  const anyCase = fc.record({
    counts: fc.array(fc.oneof(fc.nat({ max: 9 }), fc.double({ min: 0, max: 1e300, noNaN: true })), {
      minLength: 1,
      maxLength: 30,
    }),
    size: fc.integer({ min: 1, max: 40 }),
    power: fc.double({ min: 0, max: 400, noNaN: true }),
    seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    step: fc.maxSafeNat(),
    labels: fc.array(fc.nat({ max: 29 })),
  });
  check(
    fc.property(anyCase, ({ labels, ...options }) => {
      const { counts, size } = options;
      const present = [...new Set(labels.filter((label) => label < counts.length))];
      const columns = columnsOf(federatedClasses(present, { ...options, ...none }));
      expect(columns).toEqual(expect.arrayContaining(present));
      expect(columns.length).toBeLessThanOrEqual(Math.max(size, present.length));
      expect(columns.length).toBeGreaterThanOrEqual(Math.min(size, present.length));
    }),
  );
});

test.each<[unknown, unknown, string]>([
  [[1], undefined, 'options'],
  [[1], {}, 'counts'],
  [[1], { counts: [1, -1] }, 'counts[1]'],
  [[1], { counts: [1, Infinity] }, 'counts[1]'],
  [[1], { counts: [1], size: 0 }, 'size'],
  [[1], { counts: [1], power: -1 }, 'power'],
  [[1], { counts: [1], seed: 2 ** 32 }, 'seed'],
  [[1], { counts: [1], step: -1 }, 'step'],
  [[1], { counts: [1], countBackground: 1 }, 'countBackground'],
  [[1], { counts: [1], background: 'no' }, 'background'],
  [[1], { counts: [1], number: 1 }, 'number'],
  [[2], { counts: [1] }, 'labels[0]'],
  [new Set([1.5]), { counts: [1] }, 'labels[0]'],
  [[[1], ['1']], { counts: [1] }, 'labels[1][0]'],
  [Float32Array.of(1), { counts: [1] }, 'labels'],
])('a set of %p with %p is refused', (labels, options, argument) => {
  expectRefused(() => federatedClasses(wrong(labels), wrong(options)), argument);
});
