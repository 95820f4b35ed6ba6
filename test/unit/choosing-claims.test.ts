// What docs/choosing.md says of losses and weights.
import { EqualizedFocalLoss, FocalLoss, inverseFrequencyWeights, weightsByLabel } from '../../lib';
import { expectClose, expectSame } from '../reference/compare';
import { Random } from '../reference/random';

const [rows, numClasses] = [400, 4];
const random = new Random(5);
const counts = [200, 60, 20, 6];
/** Rows of each class as often as the counts say, the rest background. */
const labels = Int32Array.from({ length: rows }, (_, row) => {
  let before = 0;
  return 1 + counts.findIndex((count) => row < (before += count));
});
const logits = Float32Array.from({ length: rows * numClasses }, () => random.normal(-2, 1));
const classWeight = inverseFrequencyWeights(counts);

test('with scaleFactor 0 Equalized Focal Loss is Focal Loss to the last bit', () => {
  const equalized = new EqualizedFocalLoss({ numClasses, scaleFactor: 0 });
  const plain = new FocalLoss({ numClasses });
  for (let step = 0; step < 3; step++) {
    const ours = equalized.forwardBackward(logits, labels);
    const theirs = plain.forwardBackward(logits, labels);
    expectSame('loss', ours.loss, theirs.loss);
    expectSame('gradient', ours.grad, theirs.grad);
  }
  expect(Math.min(...equalized.gradientRatio)).toBeLessThan(0.5);
});

test('classWeight leaves g as it is, so that rarity counts twice', () => {
  const plain = new EqualizedFocalLoss({ numClasses });
  const weighed = new EqualizedFocalLoss({ numClasses, classWeight });
  plain.forwardBackward(logits, labels);
  weighed.forwardBackward(logits, labels);
  expectClose('g', weighed.gradientRatio, plain.gradientRatio, { relative: 1e-6 });
});

test('weights of rows by their label raise g, and take equalization from rare classes', () => {
  const plain = new EqualizedFocalLoss({ numClasses });
  const weighed = new EqualizedFocalLoss({ numClasses });
  plain.forwardBackward(logits, labels);
  const rowWeight = weightsByLabel(labels, classWeight);
  weighed.forwardBackward(logits, labels, { rowWeight });
  const gain = weighed.gradientRatio.map((ratio, j) => ratio / plain.gradientRatio[j]!);
  expect(gain[3]).toBeGreaterThan(2);
  expect(weighed.weightingFactor[3]).toBeLessThan(plain.weightingFactor[3]!);
});
