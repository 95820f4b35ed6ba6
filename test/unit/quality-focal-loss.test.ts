import { EqualizedQualityFocalLoss, FocalLoss, QualityFocalLoss } from '../../lib';
import { ELEMENT, expectClose } from '../reference/compare';
import { ReferenceCriterion } from '../reference/criterion';
import { familySample } from '../reference/family';
import { QUALITY_GOLDEN } from '../reference/golden';
import {
  expectOutput,
  expectRefused,
  expectSameOutput,
  ratioState,
  wrong,
} from '../reference/harness';
import { FINITE_EXTREMES } from '../reference/inputs';

const numClasses = 9;
const { logits, labels, quality } = familySample(361, 60, numClasses);
const plain = { numClasses, reduction: 'none' } as const;

describe('QualityFocalLoss', () => {
  test.each([1, 1.5, 2, 6, 10])('agrees with the reference at gamma %d', (gamma) => {
    const options = { ...plain, gamma };
    const expected = new ReferenceCriterion(options, 'qualityFocal').forwardBackward(
      logits,
      labels,
      { quality },
    );
    expectOutput(
      new QualityFocalLoss(options).forwardBackward(logits, labels, { quality }),
      expected,
    );
  });

  test.each([0.25, 1, Array.from({ length: numClasses }, (_, j) => j / 10)])(
    'agrees with it at alpha %j',
    (alpha) => {
      const options = { ...plain, alpha };
      const reference = new ReferenceCriterion(options, 'qualityFocal');
      const expected = reference.forwardBackward(logits, labels, { quality });
      const output = new QualityFocalLoss(options).forwardBackward(logits, labels, { quality });
      expectOutput(output, expected);
    },
  );

  test.each([0, 1e-6, 0.3, 0.999, 1])('agrees with it at extreme logits with quality %d', (q) => {
    const values = Float32Array.from(FINITE_EXTREMES);
    const all = new Float32Array(values.length).fill(q);
    const ones = new Int32Array(values.length).fill(1);
    for (const gamma of [1, 2, 10]) {
      const options = { numClasses: 1, gamma, reduction: 'none' } as const;
      const reference = new ReferenceCriterion(options, 'qualityFocal');
      const expected = reference.forwardBackward(values, ones, { quality: all });
      const output = new QualityFocalLoss(options).forwardBackward(values, ones, { quality: all });
      expectOutput(output, expected);
    }
  });

  test('has gamma 2 as its default', () => {
    const call = { quality };
    expectSameOutput(
      new QualityFocalLoss({ numClasses }).forwardBackward(logits, labels, call),
      new QualityFocalLoss({ numClasses, gamma: 2 }).forwardBackward(logits, labels, call),
    );
  });

  test('with quality 1 everywhere is Focal Loss without alpha', () => {
    const perfect = new Float32Array(labels.length).fill(1);
    const output = new QualityFocalLoss(plain).forwardBackward(logits, labels, {
      quality: perfect,
    });
    const expected = new FocalLoss({ ...plain, alpha: -1 }).forwardBackward(logits, labels);
    expectClose('elements', output.elements!, expected.elements!, ELEMENT);
    expectClose('grad', output.grad, expected.grad, ELEMENT);
  });

  test('with quality 0 pushes a class down as any other', () => {
    const worthless = new Float32Array(labels.length);
    const background = labels.map((label) => (label > 0 ? 0 : label));
    const options = { ...plain, gamma: 3 };
    const output = new QualityFocalLoss(options).forwardBackward(logits, labels, {
      quality: worthless,
    });
    const expected = new FocalLoss({ ...options, alpha: -1 }).forwardBackward(logits, background);
    expectClose('elements', output.elements!, expected.elements!, ELEMENT);
    expectClose('grad', output.grad, expected.grad, ELEMENT);
  });

  test('has no loss and no gradient where score and quality agree', () => {
    const criterion = new QualityFocalLoss({ numClasses: 1 });
    const output = criterion.forwardBackward(new Float32Array(3), [1, 1, 1], {
      quality: [0.5, 0.5, 0.5],
    });
    expect(output.loss).toBe(0);
    expectClose('grad', output.grad, [0, 0, 0], { relative: 0 });
  });

  test('takes a plain array, and does not look at the quality of rows without a class', () => {
    const list = Array.from(quality, (q, row) => (labels[row]! > 0 ? q : row % 2 ? NaN : 7));
    const criterion = new QualityFocalLoss({ numClasses });
    const expected = criterion.forwardBackward(logits, labels, { quality });
    expectSameOutput(criterion.forwardBackward(logits, labels, { quality: list }), expected);
    const typed = Float32Array.from(list);
    expectSameOutput(criterion.forwardBackward(logits, labels, { quality: typed }), expected);
  });

  test.each([
    ['gamma', { gamma: 0.9 }],
    ['gamma', { gamma: Infinity }],
    ['alpha', { alpha: 1.25 }],
    ['alpha[1]', { alpha: [0, 2, 0, 0, 0, 0, 0, 0, 0] }],
    ['scaleFactor', { scaleFactor: 8 }],
  ])('refuses the option %s in %j', (argument, options) => {
    expectRefused(() => new QualityFocalLoss(wrong({ numClasses, ...options })), argument);
  });
});

describe('EqualizedQualityFocalLoss', () => {
  test.each(QUALITY_GOLDEN)(
    'has the golden values at quality $quality, x $x, gamma $gamma',
    ({ quality: q, x, gamma, loss, gradient }) => {
      const criterion = new EqualizedQualityFocalLoss({ numClasses: 1 });
      criterion.loadStateDict({ pos_grad: [0], neg_grad: [0], pos_neg: [1 - (gamma - 2) / 8] });
      const output = criterion.forwardBackward(Float32Array.of(x), [1], { quality: [q] });
      expectClose('loss', output.loss, loss, ELEMENT);
      expectClose('gradient', output.grad, gradient, ELEMENT);
    },
  );

  test('is QualityFocalLoss at first', () => {
    expectSameOutput(
      new EqualizedQualityFocalLoss({ numClasses }).forwardBackward(logits, labels, { quality }),
      new QualityFocalLoss({ numClasses }).forwardBackward(logits, labels, { quality }),
    );
  });

  test('counts a row of its class as positive whatever its quality', () => {
    const criterion = new EqualizedQualityFocalLoss({ numClasses: 1 });
    const { grad } = criterion.forwardBackward(Float32Array.of(2, 2), [1, 1], {
      quality: [0, 0.1],
    });
    expect(grad.every((g) => g > 0)).toBe(true);
    expectClose('positive', criterion.statistics.positive, grad[0]! + grad[1]!, ELEMENT);
    expect([...criterion.statistics.negative]).toEqual([0]);
  });

  test.each([
    ['gamma', 0.5],
    ['scaleFactor', -1],
  ])('refuses the option %s at %d', (option, value) => {
    const options = wrong({ numClasses, [option]: value });
    expectRefused(() => new EqualizedQualityFocalLoss(options), option);
  });

  test('has focus and weight from its ratios, as EqualizedFocalLoss', () => {
    const criterion = new EqualizedQualityFocalLoss({ numClasses: 2, gamma: 1.5, scaleFactor: 4 });
    criterion.loadStateDict(ratioState([0.25, 1]));
    expectClose('focus', criterion.focusingFactor, [4.5, 1.5], { relative: 1e-9 });
    expectClose('weight', criterion.weightingFactor, [3, 1], { relative: 1e-9 });
  });
});
