import { EqualizedVarifocalLoss, VarifocalLoss } from '../../lib';
import type { VarifocalLossOptions } from '../../lib';
import { ELEMENT, expectClose } from '../reference/compare';
import { ReferenceCriterion } from '../reference/criterion';
import { familySample } from '../reference/family';
import { CLASSES, GOLDEN, LOGITS, QUALITY } from '../reference/golden-losses';
import type { Golden } from '../reference/golden-losses';
import {
  expectOutput,
  expectRefused,
  expectSameOutput,
  ratioState,
  wrong,
} from '../reference/harness';
import { FINITE_EXTREMES } from '../reference/inputs';

const numClasses = 9;
const { logits, labels, quality } = familySample(701, 60, numClasses);
const plain = { numClasses, reduction: 'none' } as const;
const OF_DETRS = { detachWeight: true, ignoreZeroQuality: true };

function computeGolden(options: Partial<VarifocalLossOptions>) {
  const criterion = new VarifocalLoss({ numClasses: 4, background: 'none', ...options });
  return criterion.forwardBackward(LOGITS, CLASSES, { quality: QUALITY });
}

function expectGolden(options: Partial<VarifocalLossOptions>, { loss, grad }: Golden): void {
  const output = computeGolden(options);
  expectClose('loss', output.loss, loss, { relative: 1e-6 });
  expectClose('grad', output.grad, grad, { relative: 1e-6, absolute: 1e-9 });
}

describe('VarifocalLoss', () => {
  test('has the golden values of mmdetection and RF-DETR by default', () => {
    expectGolden({}, GOLDEN.varifocal);
  });

  test('has those of RT-DETR, D-FINE and DEIM with a detached weight and without zeros', () => {
    expectGolden(OF_DETRS, GOLDEN.varifocalOfDetrs);
    const { loss } = computeGolden({ ...OF_DETRS, alpha: 0.2 });
    expectClose('loss', loss, 1.147752528143, { relative: 1e-6 });
  });

  test.each([
    {},
    OF_DETRS,
    { iouWeighted: false, gamma: 0.5 },
    { detachWeight: true, gamma: 0 },
    { ignoreZeroQuality: true, alpha: 1.5 },
  ])('agrees with the reference with %j', (options) => {
    const all = { ...plain, ...options };
    const expected = new ReferenceCriterion(all, 'varifocal').forwardBackward(logits, labels, {
      quality,
    });
    expectOutput(new VarifocalLoss(all).forwardBackward(logits, labels, { quality }), expected);
  });

  test.each([0, 1e-6, 0.3, 1])('agrees with it at extreme logits with quality %d', (q) => {
    const values = Float32Array.from(FINITE_EXTREMES);
    const all = new Float32Array(values.length).fill(q);
    const ones = new Int32Array(values.length).fill(1);
    for (const detachWeight of [false, true]) {
      const options = { numClasses: 1, detachWeight, reduction: 'none' } as const;
      const reference = new ReferenceCriterion(options, 'varifocal');
      const expected = reference.forwardBackward(values, ones, { quality: all });
      const output = new VarifocalLoss(options).forwardBackward(values, ones, { quality: all });
      expectOutput(output, expected);
    }
  });

  test('has the same loss with and without the gradient of the weight', () => {
    const [whole, detached] = [false, true].map((detachWeight) => {
      const criterion = new VarifocalLoss({ ...plain, detachWeight });
      return criterion.forwardBackward(logits, labels, { quality });
    });
    expectClose('elements', detached!.elements!, whole!.elements!, ELEMENT);
    expect(detached!.grad).not.toEqual(whole!.grad);
  });

  test('does not weigh positives by their quality without iouWeighted', () => {
    const call = { quality: [0.25] };
    const [weighed, bare] = [true, false].map((iouWeighted) =>
      new VarifocalLoss({ numClasses: 1, iouWeighted }).forwardBackward(
        Float32Array.of(1.5),
        [1],
        call,
      ),
    );
    expect(bare!.loss / weighed!.loss).toBeCloseTo(4, 5);
    expect(bare!.grad[0]! / weighed!.grad[0]!).toBeCloseTo(4, 5);
  });

  test.each([
    ['gamma', { gamma: -1 }],
    ['alpha', { alpha: -1 }],
    ['alpha', { alpha: [0.5, 0.5] }],
    ['iouWeighted', { iouWeighted: 1 }],
    ['detachWeight', { detachWeight: 'yes' }],
    ['ignoreZeroQuality', { ignoreZeroQuality: 0 }],
    ['scaleFactor', { scaleFactor: 8 }],
  ])('refuses the option %s in %j', (argument, options) => {
    expectRefused(() => new VarifocalLoss(wrong({ numClasses, ...options })), argument);
  });

  test('refuses labels without a quality', () => {
    const criterion = new VarifocalLoss({ numClasses });
    expectRefused(() => criterion.forward(logits, labels), 'quality');
  });
});

describe('EqualizedVarifocalLoss', () => {
  test('is VarifocalLoss at first, and without a scale factor for good', () => {
    const expected = new VarifocalLoss(plain).forwardBackward(logits, labels, { quality });
    expectSameOutput(
      new EqualizedVarifocalLoss(plain).forwardBackward(logits, labels, { quality }),
      expected,
    );
    const unscaled = new EqualizedVarifocalLoss({ ...plain, scaleFactor: 0 });
    unscaled.forwardBackward(logits, labels, { quality });
    expectSameOutput(unscaled.forwardBackward(logits, labels, { quality }), expected);
  });

  test('weighs positives and negatives of a class by gamma_j / gamma_b', () => {
    const criterion = new EqualizedVarifocalLoss({ ...plain, numClasses: 1 });
    criterion.loadStateDict(ratioState([0.5]));
    expectClose('focus', criterion.focusingFactor, [6], { relative: 1e-9 });
    expectClose('weight', criterion.weightingFactor, [3], { relative: 1e-9 });
    const call = { quality: [0.4, 0.4] };
    const values = Float32Array.of(0.5, 0.5);
    const { elements } = criterion.forwardBackward(values, [1, 0], call);
    const base = new VarifocalLoss({ ...plain, numClasses: 1, gamma: 6 });
    const expected = base.forwardBackward(values, [1, 0], call).elements!;
    expectClose('elements', elements!, [3 * expected[0]!, 3 * expected[1]!], ELEMENT);
  });

  test.each([
    [false, 'as a negative'],
    [true, 'not at all'],
  ])('with ignoreZeroQuality %p counts a match of quality 0 %s', (ignoreZeroQuality) => {
    const criterion = new EqualizedVarifocalLoss({ numClasses: 1, ignoreZeroQuality });
    const call = { quality: [0, 0.1] };
    const { grad } = criterion.forwardBackward(Float32Array.of(2, 2), [1, 1], call);
    const { positive, negative } = criterion.statistics;
    expectClose('positive', positive, grad[1]!, ELEMENT);
    expectClose('negative', negative, ignoreZeroQuality ? 0 : grad[0]!, ELEMENT);
  });

  test.each([
    ['gamma', 0],
    ['scaleFactor', -1],
  ])('refuses the option %s at %d', (option, value) => {
    const options = wrong({ numClasses, [option]: value });
    expectRefused(() => new EqualizedVarifocalLoss(options), option);
  });
});
