import { EqualizedFocalLoss, FocalLoss } from '../../lib';
import { ELEMENT, expectClose, expectSame } from '../reference/compare';
import { compareCall, compareFocalCall, equalizedPair, makeSample } from '../reference/harness';

const sample = makeSample(51, 29, 11);
const validRows = sample.labels.filter((label) => label !== -1).length;
const options = { numClasses: 11 };

describe.each(['sum', 'mean', 'none'] as const)('reduction %s', (reduction) => {
  test('agrees with the reference for Focal Loss', () => {
    expect(compareFocalCall({ ...options, reduction }, sample).ignored).toBeGreaterThan(0);
  });

  test('agrees with the reference for Equalized Focal Loss', () => {
    const ratios = Array.from({ length: 11 }, (_, j) => j / 10);
    const pair = equalizedPair({ ...options, reduction, lossWeight: 1.25 }, ratios);
    expect(compareCall(pair, sample, { gradOutput: 3 }).ignored).toBeGreaterThan(0);
  });
});

describe('reduction', () => {
  const outputOf = (reduction: 'sum' | 'mean' | 'none') =>
    new FocalLoss({ ...options, reduction }).forwardBackward(sample.logits, sample.labels);

  test('mean is the sum divided by valid rows times classes', () => {
    const sum = outputOf('sum');
    const mean = outputOf('mean');
    expectClose('loss', mean.loss, sum.loss / (validRows * 11), ELEMENT);
    expectClose(
      'grad',
      mean.grad,
      sum.grad.map((g) => g / (validRows * 11)),
      ELEMENT,
    );
  });

  test('none has as loss the sum of its elements', () => {
    const { loss, elements } = outputOf('none');
    expectClose(
      'loss',
      loss,
      elements!.reduce((sum, element) => sum + element, 0),
      ELEMENT,
    );
    expectClose('loss', loss, outputOf('sum').loss, ELEMENT);
  });

  test('none has elements of 0 in ignored rows', () => {
    const { elements } = outputOf('none');
    for (const [row, label] of sample.labels.entries()) {
      const inRow = elements!.subarray(row * 11, row * 11 + 11);
      expect(inRow.every((element) => (label === -1 ? element === 0 : element > 0))).toBe(true);
    }
  });

  test('none has the loss weight in its elements, and neither gradOutput nor loss scale', () => {
    const weighted = new FocalLoss({ ...options, reduction: 'none', lossWeight: 2 });
    const call = { gradOutput: 5, lossScale: 8 };
    const output = weighted.forwardBackward(sample.logits, sample.labels, call);
    const plain = outputOf('none');
    expectSame(
      'elements',
      output.elements!,
      plain.elements!.map((element) => 2 * element),
    );
    expectSame('loss', output.loss, 2 * plain.loss);
    expectClose(
      'grad',
      output.grad,
      plain.grad.map((g) => 80 * g),
      ELEMENT,
    );
  });

  test('none has the elements in forward too', () => {
    const criterion = new FocalLoss({ ...options, reduction: 'none' });
    const { elements } = criterion.forward(sample.logits, sample.labels);
    expectSame('elements', elements!, outputOf('none').elements!);
  });

  test('mean over no valid row is 0 and not NaN, gradient included', () => {
    const criterion = new EqualizedFocalLoss({ ...options, reduction: 'mean' });
    const output = criterion.forwardBackward(new Float32Array(22).fill(3), [-1, -1]);
    expectSame('loss', output.loss, 0);
    expectSame('grad', output.grad, new Float32Array(22));
  });

  test('sum without a normalizer is the plain sum', () => {
    const criterion = new FocalLoss({ ...options });
    const { loss } = criterion.forward(sample.logits, sample.labels, { normalizer: 1 });
    expectSame('loss', outputOf('sum').loss, loss);
  });
});
