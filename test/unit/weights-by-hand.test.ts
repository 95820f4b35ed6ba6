import fc from 'fast-check';
import {
  effectiveNumberWeights,
  FocalLoss,
  inverseFrequencyWeights,
  weightsByLabel,
} from '../../lib';
import { check } from '../properties/support';
import { expectClose, expectSame } from '../reference/compare';
import { expectRefused, wrong } from '../reference/harness';

const counts = [1000, 100, 10, 1];
const sumOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

/** 1 - beta^n in integers of 400 bits after the point: beta itself is a multiple of 2^-106. */
function complementOfPower(beta: number, n: number): number {
  const bits = 400n;
  const multiply = (a: bigint, b: bigint): bigint => (a * b) >> bits;
  const fixed = (value: number): bigint => BigInt(value * 2 ** 53) << (bits - 53n);
  let [base, power] = [fixed(beta), 1n << bits];
  for (let rest = BigInt(n); rest > 0n; rest >>= 1n) {
    if (rest & 1n) power = multiply(power, base);
    base = multiply(base, base);
  }
  return Number((1n << bits) - power) / 2 ** 400;
}

describe('weights by the effective number', () => {
  test.each([
    [0.9, [0.2955221051, 0.2955299548, 0.453726889, 2.9552210511]],
    [0.99, [0.0353885778, 0.0558183837, 0.3700880356, 3.5387050029]],
    [0.999, [0.0056861684, 0.03776359, 0.361159925, 3.5953903166]],
    [0.9999, [0.003782703, 0.0361773844, 0.3601509236, 3.599888989]],
  ])('have at beta %d the values of the published code', (beta, expected) => {
    const weights = effectiveNumberWeights(counts, { beta });
    weights.forEach((weight, j) => {
      expect(Math.abs(weight - expected[j]!)).toBeLessThan(1e-9);
    });
  });

  test.each([0, 0.5, 0.999, 1 - 2 ** -20, 1 - 2 ** -40, 1 - 2 ** -53])(
    'have all digits at beta %d and counts up to a billion',
    (beta) => {
      const many = [1, 2, 37, 10_000, 1e9];
      const inverse = many.map((n) => 1 / complementOfPower(beta, n));
      const sum = inverse.reduce((total, value) => total + value, 0);
      const expected = inverse.map((value) => (value * many.length) / sum);
      expectClose('weights', effectiveNumberWeights(many, { beta }), expected, { relative: 4e-15 });
    },
  );

  test('are 1 at beta 0, and the inverse frequency as beta nears 1', () => {
    expectSame('beta 0', effectiveNumberWeights(counts, { beta: 0 }), [1, 1, 1, 1]);
    const limit = effectiveNumberWeights(counts, { beta: 1 - 2 ** -53 });
    expectClose('limit', limit, inverseFrequencyWeights(counts), { relative: 1e-12 });
  });

  test.each<[unknown, unknown, string]>([
    [[10, 0, 3], { beta: 0.9 }, 'counts[1]'],
    [[0.5, 0.5], { beta: 0.9 }, 'counts[0]'],
    [[1, NaN], { beta: 0.9 }, 'counts[1]'],
    [[1, '2'], { beta: 0.9 }, 'counts[1]'],
    [[], { beta: 0.9 }, 'counts'],
    ['12', { beta: 0.9 }, 'counts'],
    [[1, 2], { beta: 1 }, 'beta'],
    [[1, 2], { beta: -0.1 }, 'beta'],
    [[1, 2], {}, 'beta'],
    [[1, 2], undefined, 'beta'],
    [[1, 2], { betta: 0.9 }, 'betta'],
  ])('of %p with %p are refused', (bad, options, argument) => {
    expectRefused(() => effectiveNumberWeights(wrong(bad), wrong(options)), argument);
  });
});

describe('weights by inverse frequency', () => {
  test.each([
    [0.8, [0.0134089179, 0.0846045523, 0.5338186365, 3.3681678933]],
    [0.3, [0.2681034084, 0.5349366273, 1.0673388933, 2.1296210711]],
    [0, [1, 1, 1, 1]],
  ])('have at power %d the values of GRW', (power, expected) => {
    inverseFrequencyWeights(counts, { power }).forEach((weight, j) => {
      expect(Math.abs(weight - expected[j]!)).toBeLessThan(1e-9);
    });
  });

  test('are the inverse by default, and take shares for counts', () => {
    const weights = inverseFrequencyWeights([0.8, 0.2]);
    expectClose('weights', weights, [0.4, 1.6], { relative: 1e-15 });
  });

  test('stay finite at any power', () => {
    const weights = inverseFrequencyWeights([1e300, 1e-300, 1e-300], { power: 1e300 });
    expectSame('weights', weights, [0, 1.5, 1.5]);
  });

  test.each<[unknown, unknown, string]>([
    [[10, 0, 3], {}, 'counts[1]'],
    [[10, -1], {}, 'counts[1]'],
    [[10, Infinity], {}, 'counts[1]'],
    [[1, 2], { power: -1 }, 'power'],
    [[1, 2], { power: NaN }, 'power'],
    [[1, 2], { rho: 1 }, 'rho'],
  ])('of %p with %p are refused', (bad, options, argument) => {
    expectRefused(() => inverseFrequencyWeights(wrong(bad), wrong(options)), argument);
  });
});

describe('weights of classes', () => {
  const anyCounts = fc.array(fc.integer({ min: 1, max: 1e7 }), { minLength: 1, maxLength: 40 });

  test('add up to the number of classes, and never favour the commoner one', () => {
    check(
      fc.property(anyCounts, fc.double({ min: 0, max: 1 - 2 ** -53, noNaN: true }), (list, x) => {
        for (const weights of [
          effectiveNumberWeights(list, { beta: x }),
          inverseFrequencyWeights(list, { power: x * 3 }),
        ]) {
          expect(Math.abs(sumOf(weights) / list.length - 1)).toBeLessThan(1e-12);
          const byCount = list.map((count, j) => [count, weights[j]!] as const);
          byCount.sort(([a], [b]) => a - b);
          byCount.slice(1).forEach(([, weight], i) => {
            expect(weight).toBeLessThanOrEqual(byCount[i]![1]);
          });
        }
      }),
    );
  });

  test('take counts in any array of numbers', () => {
    const expected = effectiveNumberWeights(counts, { beta: 0.9 });
    for (const given of [
      ...[Float64Array.from(counts), Float32Array.from(counts), Int32Array.from(counts)],
      ...[Uint16Array.from(counts), BigInt64Array.from(counts, BigInt)],
    ]) {
      expectSame('weights', effectiveNumberWeights(given, { beta: 0.9 }), expected);
    }
  });
});

describe('weights of rows', () => {
  const ofClasses = [2, 0.5, 4];

  test.each([
    ['first', [0, 1, 2, 3, -1], [1, 2, 0.5, 4, 0]],
    ['last', [3, 0, 1, 2, -1], [1, 2, 0.5, 4, 0]],
    ['none', [0, 1, 2, -1], [2, 0.5, 4, 0]],
  ] as const)('are those of their labels, background %s', (background, labels, expected) => {
    expectSame('rows', weightsByLabel(labels, ofClasses, { background }), expected);
  });

  test('of background and of ignored labels are those that the options say', () => {
    const options = { backgroundWeight: 0.25, ignoreIndex: [255, -7] };
    const rows = weightsByLabel([0, 255, 3, -7], ofClasses, options);
    expectSame('rows', rows, [0.25, 0, 4, 0]);
  });

  test('are float32, from labels in any form', () => {
    const labels = [0, 1, 2, 3];
    const expected = weightsByLabel(labels, ofClasses);
    expect(expected).toBeInstanceOf(Float32Array);
    for (const given of [
      ...[Int32Array.from(labels), Uint8Array.from(labels), BigInt64Array.from(labels, BigInt)],
      ...[{ data: Int16Array.from(labels), shape: [2, 2] }],
    ]) {
      expectSame('rows', weightsByLabel(given, ofClasses), expected);
    }
  });

  test('of a list of levels are a list', () => {
    const rows = weightsByLabel([[0, 1], Int32Array.of(3)], ofClasses);
    expect(rows).toEqual([Float32Array.of(1, 2), Float32Array.of(4)]);
  });

  test('give class-balanced focal loss its published value', () => {
    const logits = Float32Array.of(2, -1, 0.5, -3, 0, 1, -2, 0.25, -0.5, 1.5, 0.75, -1);
    const labels = [0, 3, 2];
    const weights = effectiveNumberWeights(counts, { beta: 0.9999 });
    const rows = weightsByLabel(labels, weights, { background: 'none' });
    const options = { numClasses: 4, alpha: -1, background: 'none', reduction: 'none' } as const;
    const { elements } = new FocalLoss(options).forward(logits, labels);
    // The sum over all elements is divided by the number of positives.
    const sum = elements!.reduce((total, value, i) => total + value * rows[i >> 2]!, 0);
    expectClose('loss', sum / 3, 1.337445031822, { relative: 1e-6 });
  });

  test.each<[unknown, unknown, unknown, string]>([
    [[0, 9], ofClasses, {}, 'labels[1]'],
    [[0, 1.5], ofClasses, {}, 'labels[1]'],
    [[[0, 1], [7]], ofClasses, {}, 'labels[1][0]'],
    [Float32Array.of(1), ofClasses, {}, 'labels'],
    ['01', ofClasses, {}, 'labels'],
    [[0, 3], ofClasses, { background: 'none' }, 'labels[1]'],
    [[0], [1, -1], {}, 'classWeights[1]'],
    [[0], [1, 1e39], {}, 'classWeights[1]'],
    [[0], ofClasses, { backgroundWeight: -1 }, 'backgroundWeight'],
    [[0], ofClasses, { background: 'middle' }, 'background'],
    [[0], ofClasses, { ignoreIndex: 2 }, 'ignoreIndex'],
    [[0], ofClasses, { ignoreIndex: 0 }, 'ignoreIndex'],
    [[0], ofClasses, { ignored: 0 }, 'ignored'],
  ])('of %p with %p and %p are refused', (labels, weights, options, argument) => {
    expectRefused(() => weightsByLabel(wrong(labels), wrong(weights), wrong(options)), argument);
  });
});
