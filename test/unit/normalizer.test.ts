import { FocalLoss } from '../../lib';
import { expectSame } from '../reference/compare';
import {
  compareCall,
  compareFocalCall,
  equalizedPair,
  expectSameOutput,
  makeSample,
} from '../reference/harness';

const sample = makeSample(61, 31, 9);
const options = { numClasses: 9 };

describe('the normalizer', () => {
  test.each([1, 2, 17, 0.25, 1e-3, 12345.678])('%d divides loss and gradient', (normalizer) => {
    const expected = compareFocalCall(options, sample, { normalizer });
    expect(expected.loss).toBeGreaterThan(0);
  });

  test.each([3, 0.5, 'positives'] as const)('%p divides the statistics', (normalizer) => {
    const pair = equalizedPair(options, [0, 0.1, 0.2, 0.3, 0.5, 0.6, 0.8, 0.9, 1]);
    const { positive } = compareCall(pair, sample, { normalizer });
    expect(positive.some((sum) => sum > 0)).toBe(true);
  });

  test("'positives' is the number of rows with a class", () => {
    const criterion = new FocalLoss(options);
    const { positives } = criterion.forward(sample.logits, sample.labels);
    expect(positives).toBe(sample.labels.filter((label) => label > 0).length);
    expect(positives).toBeGreaterThan(1);
    expectSameOutput(
      criterion.forwardBackward(sample.logits, sample.labels, { normalizer: 'positives' }),
      criterion.forwardBackward(sample.logits, sample.labels, { normalizer: positives }),
    );
  });

  test("'positives' is 1 when no row has a class", () => {
    const labels = sample.labels.map((label) => Math.min(label, 0));
    const criterion = new FocalLoss(options);
    expectSameOutput(
      criterion.forwardBackward(sample.logits, labels, { normalizer: 'positives' }),
      criterion.forwardBackward(sample.logits, labels),
    );
  });

  test("'positives' does not count ignored rows", () => {
    const criterion = new FocalLoss({ numClasses: 1 });
    const call = { normalizer: 'positives' } as const;
    const two = criterion.forwardBackward(Float32Array.of(1, 1, 1), [1, -1, 1], call);
    const one = criterion.forwardBackward(Float32Array.of(1, 1), [1, 1], call);
    expectSame('loss', two.loss, one.loss);
  });

  test('works in forward as in forwardBackward', () => {
    const criterion = new FocalLoss(options);
    for (const normalizer of [6.5, 'positives'] as const) {
      expectSame(
        `loss with ${normalizer}`,
        criterion.forward(sample.logits, sample.labels, { normalizer }).loss,
        criterion.forwardBackward(sample.logits, sample.labels, { normalizer }).loss,
      );
    }
  });
});
