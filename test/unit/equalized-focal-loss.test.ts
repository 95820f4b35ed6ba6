import { EqualizationLossV2, EqualizedFocalLoss, FocalLoss } from '../../lib';
import { ELEMENT, expectClose, expectSame, STATISTICS } from '../reference/compare';
import { ReferenceCriterion } from '../reference/criterion';
import { GOLDEN, GOLDEN_BASE_GAMMA } from '../reference/golden';
import {
  compareCall,
  equalizedPair,
  expectSameOutput,
  expectSameState,
  expectStatistics,
  loadRatios,
  makeSample,
  stateOf,
} from '../reference/harness';
import type { Call, Sample } from '../reference/harness';
import { OfficialListing, toMatrix } from '../reference/officialListing';

/** The ratio at which gamma_j = 2 + 8 (1 - g) is this gamma. */
function ratioOf(gamma: number): number {
  return 1 - (gamma - GOLDEN_BASE_GAMMA) / 8;
}

/** Sums and ratios after one call of a fresh criterion, and the criterion. */
function statisticsAfter(
  { logits, labels }: Sample,
  call: Call = {},
  lossWeight = 1,
): EqualizedFocalLoss {
  const criterion = new EqualizedFocalLoss({ numClasses: 6, lossWeight });
  criterion.forwardBackward(logits, labels, call);
  return criterion;
}

describe('Equalized Focal Loss of one element', () => {
  test.each(GOLDEN)(
    'has the golden loss and gradient at x $x, positive $isPositive, gamma $gamma',
    ({ x, isPositive, gamma, loss, gradient }) => {
      const criterion = new EqualizedFocalLoss({ numClasses: 1 });
      loadRatios(criterion, [ratioOf(gamma)]);
      const output = criterion.forwardBackward(Float32Array.of(x), [isPositive ? 1 : 0]);
      expectClose('loss', output.loss, loss, ELEMENT);
      expectClose('grad', output.grad, gradient, ELEMENT);
    },
  );
});

describe('Equalized Focal Loss with given ratios', () => {
  const ratios = Array.from({ length: 23 }, (_, j) => j / 22);

  test.each([
    [2, 8],
    [1, 4],
    [0.5, 2],
    [2, 0],
    [3, 7.5],
  ])('agrees with the reference at gamma %d and scale factor %d', (gamma, scaleFactor) => {
    const pair = equalizedPair({ numClasses: 23, gamma, scaleFactor }, ratios);
    const expected = compareCall(pair, makeSample(21, 35, 23));
    expect(expected.positives).toBeGreaterThan(0);
  });

  test.each([0, 0.7, 1, -1])('agrees with the reference at alpha %d', (alpha) => {
    const pair = equalizedPair({ numClasses: 23, alpha }, ratios);
    const expected = compareCall(pair, makeSample(22, 35, 23));
    expect(expected.positives).toBeGreaterThan(0);
  });

  test('has the focusing and weighting factors of its ratios', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 3, gamma: 2, scaleFactor: 8 });
    loadRatios(criterion, [0, 0.5, 1]);
    const exact = { relative: 1e-9 };
    expectClose('ratio', criterion.gradientRatio, [0, 0.5, 1], exact);
    expectClose('focusing factor', criterion.focusingFactor, [10, 6, 2], exact);
    expectClose('weighting factor', criterion.weightingFactor, [5, 3, 1], exact);
  });

  test('has the focusing factor of every class at gamma with scale factor 0', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 2, gamma: 3, scaleFactor: 0 });
    loadRatios(criterion, [0, 0.5]);
    expectSame('focusing factor', criterion.focusingFactor, [3, 3]);
    expectSame('weighting factor', criterion.weightingFactor, [1, 1]);
  });
});

describe('the state of Equalized Focal Loss', () => {
  const sample = makeSample(31, 40, 6);

  test('starts with ratio 1, no sums and no steps', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 3 });
    expectSame('ratio', criterion.gradientRatio, [1, 1, 1]);
    expectSame('positive', criterion.statistics.positive, [0, 0, 0]);
    expectSame('negative', criterion.statistics.negative, [0, 0, 0]);
    expect(criterion.statistics.steps).toBe(0);
    expectSame('focusing factor', criterion.focusingFactor, [2, 2, 2]);
    expectSame('weighting factor', criterion.weightingFactor, [1, 1, 1]);
  });

  test.each([0.5, 2, 3.7])(
    'makes the first step equal Focal Loss bit for bit at gamma %d',
    (gamma) => {
      const { logits, labels } = makeSample(32, 60, 37);
      const options = { numClasses: 37, gamma, alpha: 0.3, lossWeight: 1.5 };
      const call = { normalizer: 7, gradOutput: 0.5, lossScale: 128 };
      expectSameOutput(
        new EqualizedFocalLoss(options).forwardBackward(logits, labels, call),
        new FocalLoss(options).forwardBackward(logits, labels, call),
      );
    },
  );

  test('is one step stale: a call uses the ratios of the calls before it', () => {
    const { criterion, reference } = equalizedPair({ numClasses: 6 });
    const first = criterion.forwardBackward(sample.logits, sample.labels);
    const ratios = criterion.gradientRatio;
    expect(ratios.some((g) => g < 1)).toBe(true);
    const second = criterion.forwardBackward(sample.logits, sample.labels);
    expect(second.loss).not.toBe(first.loss);
    reference.ratio.set(ratios);
    const expected = reference.forward(sample.logits, sample.labels);
    expectClose('loss of the second call', second.loss, expected.loss, ELEMENT);
  });

  test('follows the official listing step by step, each step from the same state', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 6, lossWeight: 0.8 });
    const official = new OfficialListing({ numClasses: 7, lossWeight: 0.8 });
    for (let step = 0; step < 8; step += 1) {
      const { logits, labels } = makeSample(40 + step, 30, 6);
      const state = criterion.stateDict();
      official.posGrad = Array.from(state.pos_grad);
      official.negGrad = Array.from(state.neg_grad);
      official.posNeg = Array.from(state.pos_neg);
      const expected = official.forward(toMatrix(logits, 6), Array.from(labels), 4);
      official.collectGrad(expected.grad);
      const output = criterion.forwardBackward(logits, labels, { normalizer: 4 });
      expectClose(`loss of step ${step}`, output.loss, expected.loss, ELEMENT);
      expectClose(`grad of step ${step}`, output.grad, expected.grad.flat(), ELEMENT);
      const after = criterion.stateDict();
      expectClose(`pos_grad after step ${step}`, after.pos_grad, official.posGrad, STATISTICS);
      expectClose(`neg_grad after step ${step}`, after.neg_grad, official.negGrad, STATISTICS);
      expectClose(`pos_neg after step ${step}`, after.pos_neg, official.posNeg, {
        relative: 1e-5,
      });
    }
  });

  test('stays with the official listing when both run freely', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 6 });
    const official = new OfficialListing({ numClasses: 7 });
    const tolerance = { relative: 5e-4 };
    for (let step = 0; step < 12; step += 1) {
      const { logits, labels } = makeSample(60 + step, 30, 6);
      const expected = official.forward(toMatrix(logits, 6), Array.from(labels), 10);
      official.collectGrad(expected.grad);
      const output = criterion.forwardBackward(logits, labels, { normalizer: 10 });
      expectClose(`loss of step ${step}`, output.loss, expected.loss, tolerance);
    }
    expectClose('pos_grad', criterion.statistics.positive, official.posGrad, tolerance);
    expectClose('neg_grad', criterion.statistics.negative, official.negGrad, tolerance);
    expectClose('pos_neg', criterion.gradientRatio, official.posNeg, tolerance);
    expect(official.posNeg.some((g) => g > 0 && g < 1)).toBe(true);
  });

  test('adds the sums of every call to those before, and counts the steps', () => {
    const pair = equalizedPair({ numClasses: 6 });
    for (let step = 1; step <= 5; step += 1) {
      compareCall(pair, makeSample(80 + step, 25, 6));
      expect(pair.criterion.statistics.steps).toBe(step);
    }
  });

  test('has as ratio the clamped quotient of its sums with the official eps', () => {
    const criterion = statisticsAfter(sample);
    const { positive, negative } = criterion.statistics;
    const quotients = positive.map((sum, j) => Math.min(1, sum / (negative[j]! + 1e-10)));
    expectClose('ratio', criterion.gradientRatio, quotients, { relative: 1e-15 });
  });

  test('clamps the ratio at 1 where positives outweigh negatives', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 2 });
    criterion.forwardBackward(Float32Array.of(-4, -4, -9, -9), [1, 0]);
    const { positive, negative } = criterion.statistics;
    expect(positive[0]).toBeGreaterThan(negative[0]!);
    expect(criterion.gradientRatio[0]).toBe(1);
  });

  test('gives ratio 0 after the first step to a class without a positive', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 3 });
    criterion.forwardBackward(Float32Array.of(0, 0, 0, -1, -1, -1), [2, 0]);
    expect(criterion.gradientRatio[0]).toBe(0);
    expect(criterion.gradientRatio[1]).toBeGreaterThan(0);
    expect(criterion.gradientRatio[2]).toBe(0);
    expectSame(
      'focusing factor',
      [...criterion.focusingFactor].filter((_, j) => j !== 1),
      [10, 10],
    );
  });

  test('jumps from 0 to 1 with the first positive of a rare class at a low prior', () => {
    const prior = Math.fround(Math.log(0.001 / 0.999));
    const criterion = new EqualizedFocalLoss({ numClasses: 1 });
    const rows = 44600;
    criterion.forwardBackward(new Float32Array(rows).fill(prior), new Int32Array(rows));
    const { negative } = criterion.statistics;
    expectClose('negative sum', negative, [1.0e-4], { relative: 0.02 });
    expect(criterion.gradientRatio[0]).toBe(0);
    const { grad } = criterion.forwardBackward(Float32Array.of(prior), [1]);
    expectClose('gradient of the positive', grad, [-1.32], { relative: 0.01 });
    expect(criterion.gradientRatio[0]).toBe(1);
  });

  test('keeps eps in the quotient: a class with neither gradient has ratio 0', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 2 });
    criterion.forwardBackward(Float32Array.of(-1e4, 0), [2]);
    expect(criterion.statistics.negative[0]).toBe(0);
    expect(criterion.gradientRatio[0]).toBe(0);
  });

  test('lets eps pull down the ratio of a class whose sums are as small', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 1, lossWeight: 2e-10 });
    criterion.forwardBackward(Float32Array.of(0, 0, 0), [1, 0, 0]);
    const { positive, negative } = criterion.statistics;
    const withEps = positive[0]! / (negative[0]! + 1e-10);
    expect(withEps).toBeLessThan(0.7 * (positive[0]! / negative[0]!));
    expectClose('ratio', criterion.gradientRatio, [withEps], { relative: 1e-12 });
  });

  test('counts background rows as negatives of every class', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 3 });
    criterion.forwardBackward(Float32Array.of(1, 1, 1), [0]);
    expectSame('positive', criterion.statistics.positive, [0, 0, 0]);
    expect(criterion.statistics.negative.every((sum) => sum > 0.5)).toBe(true);
  });

  test('leaves ignored rows out of the statistics', () => {
    const { logits, labels } = sample;
    const kept = Array.from(labels.keys()).filter((row) => labels[row] !== -1);
    expect(kept.length).toBeLessThan(labels.length);
    const without = {
      logits: Float32Array.from(kept.flatMap((row) => [...logits.subarray(row * 6, row * 6 + 6)])),
      labels: Int32Array.from(kept, (row) => labels[row]!),
    };
    expectStatistics(statisticsAfter(sample).statistics, statisticsAfter(without).statistics);
  });

  test('is not changed by forward', () => {
    const criterion = statisticsAfter(sample);
    const before = stateOf(criterion);
    criterion.forward(sample.logits, sample.labels);
    expectSameState(stateOf(criterion), before);
  });

  test('enters the loss of forward too', () => {
    const { criterion, reference } = equalizedPair({ numClasses: 6 }, [0, 0.2, 0.4, 0.6, 0.8, 1]);
    const expected = reference.forward(sample.logits, sample.labels);
    const output = criterion.forward(sample.logits, sample.labels);
    expectClose('loss', output.loss, expected.loss, ELEMENT);
    const focal = new FocalLoss({ numClasses: 6 }).forward(sample.logits, sample.labels);
    expect(output.loss).not.toBe(focal.loss);
  });

  test('is not changed by forwardBackward with collect false, which gives the same result', () => {
    const collecting = statisticsAfter(sample);
    const before = stateOf(collecting);
    const call = { normalizer: 2 };
    const output = collecting.forwardBackward(sample.logits, sample.labels, {
      ...call,
      collect: false,
    });
    expectSameState(stateOf(collecting), before);
    expectSameOutput(collecting.forwardBackward(sample.logits, sample.labels, call), output);
    expect(collecting.statistics.steps).toBe(2);
  });

  test.each([
    ['no rows', []],
    ['only ignored rows', [-1, -1]],
  ])('is not changed by a call with %s, not even its steps', (_, labels) => {
    const fresh = new EqualizedFocalLoss({ numClasses: 6 });
    const used = statisticsAfter(sample);
    for (const criterion of [fresh, used]) {
      const before = stateOf(criterion);
      criterion.forwardBackward(new Float32Array(6 * labels.length), labels);
      expectSameState(stateOf(criterion), before);
    }
  });

  test.each([
    ['gradOutput 0', {}, { gradOutput: 0 }],
    ['lossWeight 0', { lossWeight: 0 }, {}],
    ['classWeight 0', { classWeight: [0, 0, 0, 0, 0, 0] }, {}],
    ['gradOutput 0 for each element', { reduction: 'none' }, { gradOutput: new Float32Array(12) }],
  ] as const)('is not changed by a call without a gradient: %s', (_, options, call) => {
    const criterion = new EqualizedFocalLoss({ numClasses: 6, ...options });
    const before = stateOf(criterion);
    const logits = Float32Array.from({ length: 12 }, (_, i) => i / 4 - 1);
    criterion.forwardBackward(logits, [1, 0], call);
    criterion.collectGrad(new Float32Array(12), [1, 0]);
    expectSameState(stateOf(criterion), before);
    expect(criterion.statistics.steps).toBe(0);
  });

  test('is finite after upstream gradients near the end of float32', () => {
    const criterion = new EqualizationLossV2({ numClasses: 16, reduction: 'none' });
    const gradOutput = new Float32Array(1024).fill(3e38);
    criterion.forwardBackward(new Float32Array(1024).fill(3), new Int32Array(64), { gradOutput });
    const expected = (64 * 3.0000000054977558e38) / (1 + Math.exp(-3));
    expect(criterion.statistics.negative[0]! / expected).toBeCloseTo(1, 5);
    const restored = new EqualizationLossV2({ numClasses: 16, reduction: 'none' });
    restored.loadStateDict(criterion.stateDict());
    expectSame('negative', restored.statistics.negative, criterion.statistics.negative);
  });

  test('is shown in copies that nobody can change it through', () => {
    const criterion = statisticsAfter(sample);
    const before = stateOf(criterion);
    const dict = criterion.stateDict();
    const shown = [dict.pos_grad, dict.neg_grad, dict.pos_neg];
    shown.push(criterion.statistics.positive, criterion.statistics.negative);
    shown.push(criterion.gradientRatio, criterion.focusingFactor, criterion.weightingFactor);
    shown.forEach((values) => values.fill(0.125));
    expectSameState(stateOf(criterion), before);
    expectSame('pos_neg', criterion.stateDict().pos_neg, before.ratio);
  });

  test('is shown in float64 arrays', () => {
    const criterion = statisticsAfter(sample);
    const { positive, negative } = criterion.statistics;
    const { gradientRatio, focusingFactor, weightingFactor } = criterion;
    for (const values of [positive, negative, gradientRatio, focusingFactor, weightingFactor]) {
      expect(Object.prototype.toString.call(values)).toBe('[object Float64Array]');
      expect(values).toHaveLength(6);
    }
  });

  test('goes back to the start with reset', () => {
    const criterion = statisticsAfter(sample);
    criterion.reset();
    expectSameState(stateOf(criterion), stateOf(new EqualizedFocalLoss({ numClasses: 6 })));
    expectSameOutput(
      criterion.forwardBackward(sample.logits, sample.labels),
      new FocalLoss({ numClasses: 6 }).forwardBackward(sample.logits, sample.labels),
    );
  });

  test('is one for each criterion', () => {
    const other = new EqualizedFocalLoss({ numClasses: 6 });
    expect(statisticsAfter(sample).statistics.steps).toBe(1);
    expect(other.statistics.steps).toBe(0);
    expectSame('ratio', other.gradientRatio, new Float64Array(6).fill(1));
  });

  test('updates after a call with every reduction', () => {
    for (const reduction of ['sum', 'mean', 'none'] as const) {
      const pair = equalizedPair({ numClasses: 6, reduction });
      compareCall(pair, sample);
      expect(pair.criterion.statistics.steps).toBe(1);
    }
  });
});

describe('the gradient statistics', () => {
  const sample = makeSample(33, 40, 6);
  const plain = statisticsAfter(sample).statistics;

  test.each<[string, Call, number, number]>([
    ['are divided by the normalizer', { normalizer: 4 }, 1, 1 / 4],
    ['are divided by a normalizer below 1', { normalizer: 0.125 }, 1, 8],
    ['are multiplied by the loss weight', {}, 3, 3],
    ['have the size of a negative loss weight', {}, -3, 3],
    ['are multiplied by gradOutput', { gradOutput: 0.5 }, 1, 0.5],
    ['have the size of a negative gradOutput', { gradOutput: -2 }, 1, 2],
    ['are 0 with gradOutput 0', { gradOutput: 0 }, 1, 0],
    ['do not contain the loss scale', { lossScale: 65536 }, 1, 1],
    ['do not contain a loss scale below 1', { lossScale: 1e-3 }, 1, 1],
    ['multiply all other factors', { normalizer: 4, gradOutput: -2, lossScale: 512 }, 3, 1.5],
  ])('%s', (_, call, lossWeight, factor) => {
    expectStatistics(statisticsAfter(sample, call, lossWeight).statistics, {
      positive: plain.positive.map((sum) => factor * sum),
      negative: plain.negative.map((sum) => factor * sum),
    });
  });

  test('are exact sums over many rows', () => {
    const rows = 20000;
    const criterion = new EqualizedFocalLoss({ numClasses: 2 });
    const reference = new ReferenceCriterion({ numClasses: 2 }, 'equalizedFocal');
    const { logits, labels } = makeSample(34, rows, 2);
    criterion.forwardBackward(logits, labels);
    reference.forwardBackward(logits, labels);
    expectStatistics(criterion.statistics, reference);
  });
});
