import { EqualizationLoss, EqualizedQualityFocalLoss, FocalLoss } from '../../lib';
import type { Criterion } from '../../lib';
import { composesQuality } from '../../lib/adapters/tfjs/composable';

/** A loss as one that somebody adds to the package. */
function added(change: object): Criterion {
  const criterion = new FocalLoss({ numClasses: 2 });
  class BrierLoss {
    readonly definition = { ...criterion.definition, ...change };
  }
  return new BrierLoss() as unknown as Criterion;
}

test('losses whose targets are qualities are told from others', () => {
  const options = { numClasses: 2 };
  expect(composesQuality(new FocalLoss(options), 'webgpu')).toBe(false);
  expect(
    composesQuality(new EqualizationLoss({ ...options, classFrequencies: [0.1, 1e-4] }), 'webgpu'),
  ).toBe(false);
  expect(composesQuality(new EqualizedQualityFocalLoss(options), 'webgpu')).toBe(true);
});

test('a loss that cannot be composed is refused by name', () => {
  const compose = (): boolean => composesQuality(added({ loss: 'brier' }), 'webgpu');
  expect(compose).toThrow(
    "criterion: expected a loss that can be composed of TensorFlow.js operations on the backend 'webgpu', received BrierLoss",
  );
});
