import { EqualizedFocalLoss, FocalLoss } from '../../lib';
import { ELEMENT, expectClose } from '../reference/compare';
import { ReferenceCriterion } from '../reference/criterion';
import { compareDense, compareMember, FAMILY, familySample } from '../reference/family';
import {
  compareCall,
  compareFocalCall,
  equalizedPair,
  expectRefused,
  expectSameOutput,
  makeSample,
  wrong,
} from '../reference/harness';
import type { Level } from '../reference/layout';
import { arrangementCall, tensorOf } from '../reference/maps';

const numClasses = 7;
const sample = makeSample(401, 50, numClasses);
const { logits, labels } = sample;
const alpha = [0, 0.25, 0.9, 1, -1, 0.5, -0.2];
const classWeight = [1, 2, 0, 0.5, 10, 1e-3, 3];

describe.each(FAMILY)('classWeight of $name', (one) => {
  test('agrees with the reference, for labels and dense targets', () => {
    const data = familySample(402, 50, numClasses);
    const options = { numClasses, classWeight, reduction: 'mean' } as const;
    expect(compareMember(one, options, data).expected.loss).toBeGreaterThan(0);
    const targets = data.logits.map((x) => (x > 0 ? 1 / (1 + x) : 0));
    compareDense(one, options, data.logits, targets);
  });

  test('of ones changes no bit', () => {
    const data = familySample(403, 50, numClasses);
    const ones = new Array<number>(numClasses).fill(1);
    const weighted = compareMember(one, { numClasses, classWeight: ones }, data).output;
    expectSameOutput(weighted, compareMember(one, { numClasses }, data).output);
  });
});

describe('an alpha for each class', () => {
  test('agrees with the reference', () => {
    compareFocalCall({ numClasses, alpha, reduction: 'none' }, sample);
    compareFocalCall({ numClasses, alpha, classWeight, lossWeight: 2 }, sample);
    compareCall(equalizedPair({ numClasses, alpha }, [0, 0.2, 0.4, 0.6, 0.8, 1, 0.5]), sample);
  });

  test('agrees with it for dense targets', () => {
    const dense = logits.map((x) => Math.abs(Math.sin(x)));
    const options = { numClasses, alpha, reduction: 'none' } as const;
    const expected = new ReferenceCriterion(options, 'focal').forward(logits, { dense });
    const { elements } = new FocalLoss(options).forward(logits, dense);
    expectClose('elements', elements!, expected.elements, ELEMENT);
  });

  test('is that alpha where all are the same, and may be of any kind of numbers', () => {
    const expected = new FocalLoss({ numClasses, alpha: 0.375 }).forwardBackward(logits, labels);
    const same = new Array<number>(numClasses).fill(0.375);
    for (const values of [same, Float32Array.from(same), Float64Array.from(same)]) {
      const criterion = new FocalLoss({ numClasses, alpha: values });
      expectSameOutput(criterion.forwardBackward(logits, labels), expected);
    }
  });

  test('is copied: a later change of the array changes nothing', () => {
    const given = { alpha: alpha.slice(), classWeight: classWeight.slice() };
    const criterion = new FocalLoss({ numClasses, ...given });
    const expected = new FocalLoss({ numClasses, alpha, classWeight }).forward(logits, labels);
    given.alpha.fill(0.1);
    given.classWeight.fill(7);
    expect(criterion.forward(logits, labels).loss).toBe(expected.loss);
  });

  test('reaches its class in every layout', () => {
    const options = { numClasses, alpha, classWeight };
    const expected = new FocalLoss(options).forward(logits, labels);
    const level: Level = {
      images: 1,
      height: 5,
      width: 5,
      anchors: 2,
      columns: numClasses,
      layout: 'NCHW',
      channelOrder: 'class-major',
    };
    const output = new FocalLoss(options).forward(
      tensorOf(logits, level),
      labels,
      arrangementCall(level),
    );
    expectClose('loss', output.loss, expected.loss, { relative: 1e-6 });
  });
});

describe('class weights', () => {
  test('multiply the elements of their class, whichever their label', () => {
    const options = { numClasses, reduction: 'none' } as const;
    const plain = new FocalLoss(options).forward(logits, labels).elements!;
    const { elements } = new FocalLoss({ ...options, classWeight }).forward(logits, labels);
    const expected = plain.map((loss, at) => loss * classWeight[at % numClasses]!);
    expectClose('elements', elements!, expected, ELEMENT);
  });

  test('multiply both sums of their class', () => {
    const weighted = new EqualizedFocalLoss({ numClasses, classWeight });
    const plain = new EqualizedFocalLoss({ numClasses });
    weighted.forwardBackward(logits, labels);
    plain.forwardBackward(logits, labels);
    const times = (sums: Float64Array) => sums.map((sum, j) => sum * classWeight[j]!);
    const { positive, negative } = weighted.statistics;
    expectClose('positive', positive, times(plain.statistics.positive), ELEMENT);
    expectClose('negative', negative, times(plain.statistics.negative), ELEMENT);
  });
});

test.each<[string, object, string]>([
  ['too few alphas', { alpha: [0.5] }, 'alpha'],
  ['too many alphas', { alpha: new Array(8).fill(0) }, 'alpha'],
  ['an alpha above 1', { alpha: [0.5, 0.5, 1.1, 0.5, 0.5, 0.5, 0.5] }, 'alpha[2]'],
  ['an alpha of 2 in a typed array', { alpha: Float32Array.of(0, 1, 2, 0, 0, 0, 0) }, 'alpha[2]'],
  ['an alpha of NaN', { alpha: [NaN, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5] }, 'alpha[0]'],
  ['a text', { alpha: 'abcdefg' }, 'alpha'],
  ['too many weights', { classWeight: new Array(8).fill(1) }, 'classWeight'],
  ['a negative weight', { classWeight: [1, 1, 1, 1, 1, 1, -1] }, 'classWeight[6]'],
  ['an infinite weight', { classWeight: [1, Infinity, 1, 1, 1, 1, 1] }, 'classWeight[1]'],
  ['a weight infinite in float32', { classWeight: [1e39, 1, 1, 1, 1, 1, 1] }, 'classWeight[0]'],
  ['a hole', { classWeight: new Array<number>(7) }, 'classWeight[0]'],
  ['one weight for all', { classWeight: 2 }, 'classWeight'],
])('%s are refused by name', (_, options, argument) => {
  expectRefused(() => new FocalLoss(wrong({ numClasses, ...options })), argument);
});

test('a weight that is infinite with the weighting factor is refused by name', () => {
  const options = { numClasses: 3, alpha: -1, classWeight: [1, 3e38, 1] };
  expectRefused(() => new EqualizedFocalLoss(options), 'classWeight[1]');
});

test('options for each class are copied and cannot be changed', () => {
  const given = { classWeight: [1, 2, 3], alpha: Float64Array.of(0.5, -1, 1) };
  const { options } = new FocalLoss({ numClasses: 3, ...given });
  given.classWeight[0] = 9;
  expect(options).toMatchObject({ classWeight: [1, 2, 3], alpha: [0.5, -1, 1] });
  expect(() => Object.assign(options.classWeight!, { 0: 9 })).toThrow(TypeError);
});
