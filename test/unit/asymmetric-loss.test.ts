import { AsymmetricLoss, FocalLoss } from '../../lib';
import { ELEMENT, expectClose } from '../reference/compare';
import { ReferenceCriterion } from '../reference/criterion';
import { GOLDEN, LOGITS, MULTI_LABEL } from '../reference/golden-losses';
import { expectOutput, expectRefused, makeSample, wrong } from '../reference/harness';
import { FINITE_EXTREMES } from '../reference/inputs';
import { Random } from '../reference/random';

const numClasses = 9;
const { logits, labels } = makeSample(721, 60, numClasses);
const plain = { numClasses, reduction: 'none' } as const;
const random = new Random(722);
const multiLabel = Float32Array.from(logits, () => (random.next() < 0.2 ? 1 : 0));
const soft = Float32Array.from(logits, () => Math.max(0, random.uniform(-1, 1)));

test.each([
  ['differentiated', false, GOLDEN.asymmetric],
  ['detached', true, GOLDEN.detachedAsymmetric],
])('has the golden values, with the weight %s', (_, detachWeight, golden) => {
  const criterion = new AsymmetricLoss({ numClasses: 4, background: 'none', detachWeight });
  const output = criterion.forwardBackward(LOGITS, MULTI_LABEL);
  expectClose('loss', output.loss, golden.loss, { relative: 1e-6 });
  expectClose('grad', output.grad, golden.grad, { relative: 2e-6, absolute: 1e-9 });
});

describe.each([
  {},
  { gammaPositive: 0, gammaNegative: 2.5 },
  { gammaNegative: 0 },
  { margin: 0 },
  { margin: 0.3, gammaNegative: 1, gammaPositive: 2 },
  { detachWeight: true },
  { detachWeight: true, margin: 0, gammaNegative: 0, gammaPositive: 0 },
])('with %j', (own) => {
  const options = { ...plain, ...own };

  test.each([
    ['several classes in a row', multiLabel],
    ['targets between 0 and 1', soft],
  ])('agrees with the reference for %s', (_, dense) => {
    const reference = new ReferenceCriterion(options, 'asymmetric');
    const expected = reference.forwardBackward(logits, { dense });
    expectOutput(new AsymmetricLoss(options).forwardBackward(logits, dense), expected);
  });

  test('agrees with it for labels, and without elements', () => {
    const summed = { ...options, reduction: 'sum' } as const;
    const reference = new ReferenceCriterion(summed, 'asymmetric');
    const expected = reference.forwardBackward(logits, labels);
    expectOutput(new AsymmetricLoss(summed).forwardBackward(logits, labels), expected);
  });

  test.each([0, 0.5, 1])('agrees with it at extreme logits with target %d', (y) => {
    const values = Float32Array.from(FINITE_EXTREMES);
    const dense = new Float32Array(values.length).fill(y);
    const one = { ...options, numClasses: 1 };
    const reference = new ReferenceCriterion(one, 'asymmetric');
    const expected = reference.forwardBackward(values, { dense });
    expectOutput(new AsymmetricLoss(one).forwardBackward(values, dense), expected);
  });
});

test('a negative with a score up to the margin has no loss and a gradient of exactly 0', () => {
  const values = Float32Array.from({ length: 64 }, (_, i) => -2.9445 - i);
  const criterion = new AsymmetricLoss({ numClasses: 64, reduction: 'none' });
  const { elements, grad } = criterion.forwardBackward(values, [0]);
  expect([...elements!, ...grad].every((value) => Object.is(value, 0))).toBe(true);
});

test('without margin and with one gamma it is Focal Loss without alpha', () => {
  const gamma = { gammaPositive: 3, gammaNegative: 3 };
  const output = new AsymmetricLoss({ ...plain, ...gamma, margin: 0 }).forwardBackward(
    logits,
    labels,
  );
  const focal = new FocalLoss({ ...plain, gamma: 3, alpha: -1 });
  const expected = focal.forwardBackward(logits, labels);
  expectClose('elements', output.elements!, expected.elements!, ELEMENT);
  expectClose('grad', output.grad, expected.grad, ELEMENT);
});

test.each([
  ['gammaNegative', { gammaNegative: 0.5 }],
  ['gammaPositive', { gammaPositive: -1 }],
  ['margin', { margin: 1 }],
  ['margin', { margin: 1e-9 }],
  ['gamma', { gamma: 2 }],
  ['alpha', { alpha: 0.25 }],
])('refuses the option %s in %j', (argument, options) => {
  expectRefused(() => new AsymmetricLoss(wrong({ numClasses, ...options })), argument);
});
