import { IouAwareBceLoss, MatchabilityAwareLoss } from '../../lib';
import { expectClose } from '../reference/compare';
import { ReferenceCriterion } from '../reference/criterion';
import { familySample } from '../reference/family';
import { CLASSES, GOLDEN, LOGITS, QUALITY } from '../reference/golden-losses';
import { expectOutput, expectRefused, wrong } from '../reference/harness';
import { FINITE_EXTREMES } from '../reference/inputs';

const numClasses = 9;
const { logits, labels, quality } = familySample(711, 60, numClasses);
const plain = { numClasses, reduction: 'none' } as const;

const LOSSES = [
  ['IouAwareBceLoss', IouAwareBceLoss, 'iouAwareBce'],
  ['MatchabilityAwareLoss', MatchabilityAwareLoss, 'matchability'],
] as const;

describe.each(LOSSES)('%s', (_, Loss, kind) => {
  test('has the golden values of its published code', () => {
    const criterion = new Loss({ numClasses: 4, background: 'none' });
    const output = criterion.forwardBackward(LOGITS, CLASSES, { quality: QUALITY });
    expectClose('loss', output.loss, GOLDEN[kind].loss, { relative: 1e-6 });
    const tolerance = { relative: 1e-6, absolute: 1e-9 };
    expectClose('grad', output.grad, GOLDEN[kind].grad, tolerance);
  });

  test.each([
    [0.5, 0],
    [1, 1],
    [2, 0.25],
    [4, 0.7],
  ])('agrees with the reference at gamma %d and alpha %d', (gamma, alpha) => {
    const options = { ...plain, gamma, alpha };
    const reference = new ReferenceCriterion(options, kind);
    const expected = reference.forwardBackward(logits, labels, { quality });
    expectOutput(new Loss(options).forwardBackward(logits, labels, { quality }), expected);
  });

  test.each([0, 1e-6, 0.3, 1])('agrees with it at extreme logits with quality %d', (q) => {
    const values = Float32Array.from(FINITE_EXTREMES);
    const all = new Float32Array(values.length).fill(q);
    const ones = new Int32Array(values.length).fill(1);
    const options = { numClasses: 1, reduction: 'none' } as const;
    const reference = new ReferenceCriterion(options, kind);
    const expected = reference.forwardBackward(values, ones, { quality: all });
    const output = new Loss(options).forwardBackward(values, ones, { quality: all });
    expectOutput(output, expected);
  });
});

test.each([
  ['gamma', { gamma: -1 }],
  ['alpha', { alpha: 1.1 }],
  ['detachWeight', { detachWeight: true }],
])('IouAwareBceLoss refuses the option %s in %j', (argument, options) => {
  expectRefused(() => new IouAwareBceLoss(wrong({ numClasses, ...options })), argument);
});

test.each([
  ['gamma', { gamma: 0 }],
  ['alpha', { alpha: -0.1 }],
  ['iouWeighted', { iouWeighted: true }],
])('MatchabilityAwareLoss refuses the option %s in %j', (argument, options) => {
  expectRefused(() => new MatchabilityAwareLoss(wrong({ numClasses, ...options })), argument);
});
