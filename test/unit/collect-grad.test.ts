import { EqualizedFocalLoss } from '../../lib';
import { expectClose } from '../reference/compare';
import { ReferenceCriterion } from '../reference/criterion';
import { expectSameState, expectStatistics, makeSample, stateOf } from '../reference/harness';
import { Random } from '../reference/random';

const { logits, labels } = makeSample(111, 30, 9);
const random = new Random(112);
const grads = Float32Array.from(logits, () => random.normal(0, 1));

describe('collectGrad', () => {
  test('adds the sizes of the gradients by class and label', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 2 });
    const output = criterion.collectGrad(Float32Array.of(0.5, -0.25, -1, 2, 8, 8), [2, 0, -1]);
    expect(output).toEqual({ positives: 1, ignored: 1, nonFinite: 0 });
    expectStatistics(criterion.statistics, {
      positive: Float64Array.of(0, 0.25),
      negative: Float64Array.of(1.5, 2),
    });
    expectClose('ratio', criterion.gradientRatio, [0, 0.125], { relative: 1e-9 });
    expect(criterion.statistics.steps).toBe(1);
  });

  test.each([1, 512, 0.01, -64])('agrees with the reference at loss scale %d', (lossScale) => {
    const criterion = new EqualizedFocalLoss({ numClasses: 9 });
    const reference = new ReferenceCriterion({ numClasses: 9 }, 'equalizedFocal');
    expect(criterion.collectGrad(grads, labels, { lossScale })).toEqual(
      reference.collectGrad(grads, labels, lossScale),
    );
    expectStatistics(criterion.statistics, reference);
  });

  test('gathers from the gradient of a call what the call gathers itself', () => {
    const fused = new EqualizedFocalLoss({ numClasses: 9 });
    const separate = new EqualizedFocalLoss({ numClasses: 9 });
    for (let step = 0; step < 4; step += 1) {
      const sample = makeSample(113 + step, 30, 9);
      const call = { lossScale: 256, normalizer: 5 };
      const { grad } = separate.forwardBackward(sample.logits, sample.labels, {
        ...call,
        collect: false,
      });
      separate.collectGrad(grad, sample.labels, { lossScale: 256 });
      fused.forwardBackward(sample.logits, sample.labels, call);
    }
    const tolerance = { relative: 1e-4, absolute: 1e-30 };
    expectClose('positive', separate.statistics.positive, fused.statistics.positive, tolerance);
    expectClose('negative', separate.statistics.negative, fused.statistics.negative, tolerance);
    expect(separate.statistics.steps).toBe(4);
  });

  test('adds to what is there', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 9 });
    const reference = new ReferenceCriterion({ numClasses: 9 }, 'equalizedFocal');
    for (let step = 1; step <= 3; step += 1) {
      criterion.collectGrad(grads, labels);
      reference.collectGrad(grads, labels);
      expectStatistics(criterion.statistics, reference);
      expect(criterion.statistics.steps).toBe(step);
    }
  });

  test('skips and counts gradients that are not finite', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 2 });
    const output = criterion.collectGrad(
      Float32Array.of(NaN, 1, -Infinity, Infinity, 0.5, 0.25, NaN, NaN),
      [1, 2, 0, -1],
    );
    expect(output).toEqual({ positives: 2, ignored: 1, nonFinite: 3 });
    expectStatistics(criterion.statistics, {
      positive: Float64Array.of(0, 0),
      negative: Float64Array.of(0.5, 1.25),
    });
  });

  test('takes host tensors of any rank', () => {
    const bare = new EqualizedFocalLoss({ numClasses: 9 });
    const tensor = new EqualizedFocalLoss({ numClasses: 9 });
    bare.collectGrad(grads, labels);
    tensor.collectGrad({ data: grads, shape: [5, 6, 9] }, Array.from(labels));
    expectSameState(stateOf(tensor), stateOf(bare));
  });

  test('takes the layout rows by name', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 9 });
    criterion.collectGrad(grads, labels, { layout: 'rows' });
    expect(criterion.statistics.steps).toBe(1);
  });

  test.each([
    ['without rows', 0],
    ['with only ignored rows', 2],
  ])('%s leaves the state untouched', (_, rows) => {
    const criterion = new EqualizedFocalLoss({ numClasses: 9 });
    const ones = new Float32Array(9 * rows).fill(1);
    const output = criterion.collectGrad(ones, new Int32Array(rows).fill(-1));
    expect(output).toEqual({ positives: 0, ignored: rows, nonFinite: 0 });
    expectSameState(stateOf(criterion), stateOf(new EqualizedFocalLoss({ numClasses: 9 })));
  });

  test('follows the background convention and the ignore list', () => {
    const criterion = new EqualizedFocalLoss({
      numClasses: 2,
      background: 'last',
      ignoreIndex: [255],
    });
    criterion.collectGrad(Float32Array.of(1, 2, 4, 8, 16, 32), [0, 2, 255]);
    expectStatistics(criterion.statistics, {
      positive: Float64Array.of(1, 0),
      negative: Float64Array.of(4, 10),
    });
  });
});
