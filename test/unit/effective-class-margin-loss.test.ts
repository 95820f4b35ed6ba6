import { EffectiveClassMarginLoss } from '../../lib';
import { expectClose } from '../reference/compare';
import { ReferenceCriterion } from '../reference/criterion';
import {
  BACKGROUND_LAST,
  CLASS_MARGIN_SCORES,
  COUNTS,
  GOLDEN,
  LOGITS,
  WITH_BACKGROUND,
} from '../reference/golden-losses';
import { expectOutput, expectRefused, makeSample, wrong } from '../reference/harness';

const OF_AUTHORS = {
  numClasses: 4,
  background: 'last',
  objectness: true,
  classCounts: COUNTS,
} as const;

test('has the golden values of the published code', () => {
  const criterion = new EffectiveClassMarginLoss(OF_AUTHORS);
  const output = criterion.forwardBackward(WITH_BACKGROUND, BACKGROUND_LAST, { normalizer: 3 });
  expectClose('loss', output.loss, GOLDEN.classMargin.loss, { relative: 1e-6 });
  const tolerance = { relative: 1e-6, absolute: 1e-9 };
  expectClose('grad', output.grad, GOLDEN.classMargin.grad, tolerance);
});

test('has the scores of inference, without the margin', () => {
  const scores = new EffectiveClassMarginLoss(OF_AUTHORS).scores(WITH_BACKGROUND);
  expect(scores).toHaveLength(12);
  expectClose('scores', scores.subarray(0, 4), CLASS_MARGIN_SCORES, { relative: 1e-6 });
  const bare = new EffectiveClassMarginLoss({ numClasses: 4, classCounts: COUNTS });
  expectClose('scores', bare.scores(LOGITS)[4]!, 0.5, { relative: 1e-7 });
  expectRefused(() => bare.scores(LOGITS.subarray(1)), 'logits');
});

test.each([false, true])('agrees with the reference with objectness %p', (objectness) => {
  const numClasses = 19;
  const classCounts = Array.from({ length: numClasses }, (_, j) => 5000 / (1 + j * j));
  for (const reduction of ['sum', 'none'] as const) {
    const options = { numClasses, classCounts, objectness, reduction, backgroundRatio: 0.01 };
    const { labels } = makeSample(731, 60, numClasses);
    const { logits } = makeSample(732, 60, numClasses + (objectness ? 1 : 0));
    const reference = new ReferenceCriterion(options, 'classMargin');
    const expected = reference.forwardBackward(logits, labels);
    const criterion = new EffectiveClassMarginLoss(options);
    expectOutput(criterion.forwardBackward(logits, labels), expected);
  }
});

test.each([
  ['classCounts', {}],
  ['classCounts[1]', { classCounts: [5, 0] }],
  ['backgroundRatio', { classCounts: [1, 2], backgroundRatio: 0 }],
  ['gamma', { classCounts: [1, 2], gamma: 2 }],
])('refuses the option %s in %j', (argument, options) => {
  const make = () => new EffectiveClassMarginLoss(wrong({ numClasses: 2, ...options }));
  expectRefused(make, argument);
});
