import { EqualizationLossV2, FocalLoss, VarifocalLoss } from '../../lib';
import { expectRefused, wrong } from '../reference/harness';

const logits = Float32Array.of(0.5, -1, 2, -0.5);
const labels = Int32Array.of(1, 2);
const quality = [0.7, 0.4];

describe.each([
  ['FocalLoss', FocalLoss, {}],
  ['EqualizationLossV2', EqualizationLossV2, {}],
  ['VarifocalLoss', VarifocalLoss, { quality }],
])('%s', (_, Loss, call) => {
  const options = { numClasses: 2, reduction: 'none' } as const;
  const plain = new Loss(options).forwardBackward(logits, labels, call);

  test('weighs positives by one number', () => {
    const { grad } = new Loss({ ...options, posWeight: 3 }).forwardBackward(logits, labels, call);
    [3, 1, 1, 3].forEach((factor, i) => {
      expect(grad[i]! / plain.grad[i]!).toBeCloseTo(factor, 5);
    });
  });

  test('weighs the positives of each class', () => {
    const weighed = new Loss({ ...options, posWeight: [3, 1] });
    const { grad } = weighed.forwardBackward(logits, labels, call);
    expect(grad[0]! / plain.grad[0]!).toBeCloseTo(3, 5);
    expect(grad.subarray(1)).toEqual(plain.grad.subarray(1));
  });
});

test.each([
  ['posWeight', -1],
  ['posWeight', Infinity],
  ['posWeight[1]', [1, -1]],
  ['posWeight', [1]],
  ['posWeight', 3e38],
])('%s is refused by name for %j', (argument, posWeight) => {
  const options = wrong({ numClasses: 2, posWeight, lossWeight: 100 });
  expectRefused(() => new FocalLoss(options), argument);
});
