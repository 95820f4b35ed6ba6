import {
  EqualizationLossV2,
  EqualizedFocalLoss,
  EqualizedQualityFocalLoss,
  FocalLoss,
  QualityFocalLoss,
} from '../../lib';
import { expectRefused, expectSameState, makeSample, stateOf, wrong } from '../reference/harness';

const classes = 6;
const { logits, labels } = makeSample(611, 50, classes);
const quality = Float32Array.from(labels, (_, row) => (row % 11) / 10);
const base = { equalize: false } as const;
const common = { numClasses: classes, classWeight: [1, 2, 0.5, 0, 1, 3] };

const focal = { ...common, gamma: 1.5, alpha: 0.4 };
test.each([
  ['EqualizedFocalLoss', new EqualizedFocalLoss(focal), new FocalLoss(focal), {}],
  [
    'EqualizedQualityFocalLoss',
    new EqualizedQualityFocalLoss(common),
    new QualityFocalLoss(common),
    { quality },
  ],
  [
    'EqualizationLossV2',
    new EqualizationLossV2(common),
    new FocalLoss({ ...common, gamma: 0, alpha: -1 }),
    {},
  ],
])(
  'a value of %s without its statistics is that of the plain loss',
  (_, criterion, plain, call) => {
    const { loss } = plain.forward(logits, labels, call);
    for (let step = 0; step < 3; step += 1) {
      const found = criterion.forward(logits, labels, { ...call, ...base }).loss;
      expect(Math.abs(found - loss)).toBeLessThan(1e-6 * loss);
      if (step > 0) expect(criterion.forward(logits, labels, call).loss).not.toBeCloseTo(loss, 3);
      criterion.forwardBackward(logits, labels, call);
    }
  },
);

test('it leaves the next calls and the state as they are', async () => {
  const [one, other] = [0, 1].map(() => new EqualizedFocalLoss(common));
  for (let step = 0; step < 3; step += 1) {
    one!.forward(logits, labels, base);
    await one!.forwardAsync(logits, labels, base);
    expect(one!.forwardBackward(logits, labels)).toEqual(other!.forwardBackward(logits, labels));
  }
  expectSameState(stateOf(one!), stateOf(other!));
});

test('the column of objectness has its part in it', () => {
  const columns = classes + 1;
  const wide = makeSample(613, 20, columns).logits;
  const criterion = new EqualizationLossV2({ ...common, objectness: true });
  const before = criterion.forward(wide, labels.slice(0, 20)).loss;
  criterion.forwardBackward(wide, labels.slice(0, 20));
  expect(criterion.forward(wide, labels.slice(0, 20), base).loss).toBe(before);
});

test('it is the same off the event loop, and an option of calls without a gradient alone', async () => {
  const criterion = new EqualizedFocalLoss(common);
  criterion.forwardBackward(logits, labels);
  const { loss } = criterion.forward(logits, labels, base);
  expect((await criterion.forwardAsync(logits, labels, base)).loss).toBe(loss);
  expectRefused(() => criterion.forwardBackward(logits, labels, wrong(base)), 'equalize');
  const call = { equalize: wrong(0) };
  expectRefused(() => criterion.forward(logits, labels, call), 'equalize');
});

test('a loss without statistics has no other value', () => {
  const focal = new FocalLoss(common);
  expect(focal.forward(logits, labels, base)).toEqual(focal.forward(logits, labels));
});
