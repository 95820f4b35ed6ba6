import {
  AdaptiveClassSuppressionLoss,
  EqualizationLoss,
  EqualizationLossV2,
  EqualizedQualityFocalLoss,
  FocalLoss,
} from '../../lib';
import { ELEMENT, expectClose, expectSame } from '../reference/compare';
import { ReferenceCriterion } from '../reference/criterion';
import { V2_DIGITS, V2_WEIGHTS } from '../reference/golden';
import {
  expectOutput,
  expectRefused,
  expectSameOutput,
  expectStatistics,
  makeSample,
  stateOf,
  wrong,
} from '../reference/harness';
import { FINITE_EXTREMES, makeLabels, normalLogits } from '../reference/inputs';
import { intoMap, shapeOf } from '../reference/layout';
import type { Level } from '../reference/layout';
import { arrangementCall, rowsOfTensor } from '../reference/maps';
import { Random } from '../reference/random';

const numClasses = 6;
const { logits, labels } = makeSample(371, 50, numClasses);
const crossEntropy = { gamma: 0, alpha: -1 };

describe('EqualizationLossV2', () => {
  test.each(V2_WEIGHTS)('has the golden weights at ratio $ratio', (golden) => {
    const criterion = new EqualizationLossV2({ numClasses: 1, reduction: 'none' });
    criterion.loadStateDict({ pos_grad: [0], neg_grad: [0], pos_neg: [golden.ratio] });
    const tolerance = { relative: V2_DIGITS };
    expectClose('negative', criterion.negativeWeight, golden.negative, tolerance);
    expectClose('positive', criterion.positiveWeight, golden.positive, tolerance);
    const { elements } = criterion.forward(new Float32Array(2), [0, 1]);
    const expected = [golden.negative * Math.LN2, golden.positive * Math.LN2];
    expectClose('elements', elements!, expected, { relative: 2 * V2_DIGITS });
  });

  test('is cross entropy at first, with a ratio of 100', () => {
    const criterion = new EqualizationLossV2({ numClasses });
    expect([...criterion.gradientRatio]).toEqual(new Array(numClasses).fill(100));
    const output = criterion.forwardBackward(logits, labels);
    const expected = new FocalLoss({ numClasses, ...crossEntropy }).forwardBackward(logits, labels);
    expectClose('loss', output.loss, expected.loss, ELEMENT);
    expectClose('grad', output.grad, expected.grad, ELEMENT);
  });

  test('does not clamp its ratio', () => {
    const criterion = new EqualizationLossV2({ numClasses: 1 });
    criterion.forwardBackward(Float32Array.of(-5, -5), [1, 0]);
    const { positive, negative } = criterion.statistics;
    const ratio = positive[0]! / (negative[0]! + 1e-10);
    expect(ratio).toBeGreaterThan(100);
    expectClose('ratio', criterion.gradientRatio, ratio, { relative: 1e-12 });
  });

  test('follows its options', () => {
    const options = { numClasses: 1, mapSteepness: 3, mapMidpoint: 0.5, positiveGain: 2 };
    const criterion = new EqualizationLossV2(options);
    criterion.loadStateDict({ pos_grad: [0], neg_grad: [0], pos_neg: [0.5] });
    expect([criterion.negativeWeight[0], criterion.positiveWeight[0]]).toEqual([0.5, 2]);
  });

  describe.each(['first', 'last'] as const)('with objectness and background %s', (background) => {
    const options = { numClasses, objectness: true, background } as const;
    const columns = numClasses + 1;
    const random = new Random(372);

    test('has background as positives of its last column, out of the statistics', () => {
      const criterion = new EqualizationLossV2(options);
      const reference = new ReferenceCriterion(options, 'equalizationV2');
      for (let step = 0; step < 3; step += 1) {
        const values = normalLogits(random, 50, columns);
        const rowLabels = makeLabels(random, 50, numClasses, { background });
        const call = { normalizer: 50, lossScale: 4 };
        reference.load(criterion.stateDict());
        const expected = reference.forwardBackward(values, rowLabels, call);
        expectOutput(criterion.forwardBackward(values, rowLabels, call), expected);
        expectStatistics(criterion.statistics, reference);
      }
      expect(criterion.statistics.positive).toHaveLength(numClasses);
    });

    test('divides a mean by all columns', () => {
      const mean = { ...options, reduction: 'mean' } as const;
      const values = normalLogits(random, 20, columns);
      const rowLabels = makeLabels(random, 20, numClasses, { background });
      const expected = new ReferenceCriterion(mean, 'equalizationV2').forward(values, rowLabels);
      const output = new EqualizationLossV2(mean).forward(values, rowLabels);
      expectClose('loss', output.loss, expected.loss, ELEMENT);
    });

    test('takes it through maps and collectGrad', () => {
      const level: Level = {
        images: 1,
        height: 4,
        width: 5,
        anchors: 3,
        columns,
        layout: 'NCHW',
        channelOrder: 'class-major',
      };
      const values = normalLogits(random, 60, columns);
      const rowLabels = makeLabels(random, 60, numClasses, { background });
      const [plain, mapped, separate] = [1, 2, 3].map(() => new EqualizationLossV2(options));
      const expected = plain!.forwardBackward(values, rowLabels);
      const call = arrangementCall(level);
      const tensor = { data: intoMap(values, level), shape: shapeOf(level) };
      const { grad } = mapped!.forwardBackward(tensor, rowLabels, call);
      expectSame('grad', rowsOfTensor(grad, level), expected.grad);
      separate!.collectGrad(grad, rowLabels, call);
      for (const criterion of [mapped!, separate!]) {
        expectStatistics(criterion.statistics, plain!.statistics);
      }
    });
  });

  test.each([
    ['mapSteepness', NaN],
    ['mapSteepness', 0],
    ['mapMidpoint', Infinity],
    ['mapMidpoint', NaN],
    ['positiveGain', -1],
    ['objectness', 1],
    ['gamma', 2],
    ['alpha', 0.25],
  ])('refuses %s %d', (option, value) => {
    const options = wrong({ numClasses, [option]: value });
    expectRefused(() => new EqualizationLossV2(options), option);
  });

  test('takes a ratio that is not clamped back from a dictionary, as no other loss does', () => {
    const criterion = new EqualizationLossV2({ numClasses: 2 });
    const state = { pos_grad: [5, 1], neg_grad: [1, 4], pos_neg: [5, 0.25] };
    criterion.loadStateDict(state);
    expect([...stateOf(criterion).ratio]).toEqual(state.pos_neg);
    const clamped = new EqualizedQualityFocalLoss({ numClasses: 2 });
    expectRefused(() => {
      clamped.loadStateDict(state);
    }, 'state.pos_neg[0]');
  });
});

describe('EqualizationLoss', () => {
  const classFrequencies = [0.5, 0.001, 0.00177, 0, 1, 0.0017];

  test('leaves out exactly the negatives of rare classes in rows with a class', () => {
    const options = { numClasses, reduction: 'none' } as const;
    const output = new EqualizationLoss({ ...options, classFrequencies }).forwardBackward(
      logits,
      labels,
    );
    const plain = new FocalLoss({ ...options, ...crossEntropy }).forwardBackward(logits, labels);
    const kept = logits.map((_, at) => {
      const label = labels[Math.floor(at / numClasses)]!;
      const column = at % numClasses;
      const isRare = [1, 3, 5].includes(column);
      return label > 0 && label !== column + 1 && isRare ? 0 : 1;
    });
    const times = (values: Float32Array): Float32Array => values.map((v, at) => v * kept[at]!);
    expect(kept).toContain(0);
    expectClose('elements', output.elements!, times(plain.elements!), ELEMENT);
    expectClose('grad', output.grad, times(plain.grad), ELEMENT);
  });

  test('with threshold 0 is cross entropy', () => {
    const options = { numClasses, classFrequencies, threshold: 0 };
    const output = new EqualizationLoss(options).forwardBackward(logits, labels);
    const expected = new FocalLoss({ numClasses, ...crossEntropy }).forwardBackward(logits, labels);
    expectClose('grad', output.grad, expected.grad, ELEMENT);
  });

  test('takes frequencies as any kind of numbers', () => {
    const criteria = [classFrequencies, Float64Array.from(classFrequencies)].map(
      (values) => new EqualizationLoss({ numClasses, classFrequencies: values }),
    );
    const [first, second] = criteria.map((one) => one.forwardBackward(logits, labels));
    expectSameOutput(first!, second!);
  });

  test.each<[string, object, RegExp]>([
    ['no frequencies', {}, /^classFrequencies$/],
    ['too few', { classFrequencies: [0.5] }, /^classFrequencies$/],
    ['one above 1', { classFrequencies: [1, 1, 1, 1, 1, 2] }, /^classFrequencies(\[5\])?$/],
    ['NaN', { classFrequencies: [NaN, 1, 1, 1, 1, 1] }, /^classFrequencies(\[0\])?$/],
    ['a count', { classFrequencies: [0, 12, 1, 1, 1, 1] }, /^classFrequencies\[1\]$/],
    ['a negative threshold', { classFrequencies, threshold: -1 }, /^threshold$/],
    ['a threshold above 1', { classFrequencies, threshold: 2 }, /^threshold$/],
    ['a gamma', { classFrequencies, gamma: 2 }, /^gamma$/],
  ])('refuses %s', (_, options, argument) => {
    expectRefused(() => new EqualizationLoss(wrong({ numClasses, ...options })), argument);
  });
});

describe('AdaptiveClassSuppressionLoss', () => {
  const logitOf = (score: number): number => Math.log(score / (1 - score));
  const scores = Float32Array.of(logitOf(0.69), logitOf(0.71), logitOf(0.2));

  test('leaves out negatives with a low score in rows with a class', () => {
    const criterion = new AdaptiveClassSuppressionLoss({ numClasses: 3, reduction: 'none' });
    const { elements, grad } = criterion.forwardBackward(scores, [3]);
    expectClose('elements', elements!, [0, -Math.log(0.29), -Math.log(0.2)], ELEMENT);
    expectClose('grad', grad, [0, 0.71, -0.8], ELEMENT);
  });

  test('weighs all negatives of background rows as asked', () => {
    const options = { numClasses: 3, reduction: 'none' } as const;
    const backgroundWeight = [1, 0.1, 0];
    for (const [given, weights] of [
      [{}, [1, 1, 1]],
      [{ backgroundWeight }, backgroundWeight],
    ] as const) {
      const criterion = new AdaptiveClassSuppressionLoss({ ...options, ...given });
      const { elements } = criterion.forward(scores, [0]);
      const plain = [0.69, 0.71, 0.2].map((score) => -Math.log(1 - score));
      const expected = plain.map((loss, j) => loss * weights[j]!);
      expectClose('elements', elements!, expected, ELEMENT);
    }
  });

  test('follows its threshold through the whole range of logits', () => {
    // A subnormal logit counts as 0, on which side of the threshold 0 it may be.
    const values = Float32Array.from(FINITE_EXTREMES, (x) => (Math.abs(x) < 2 ** -126 ? 0 : x));
    for (const scoreThreshold of [1e-6, 0.5, 1 - 1e-6]) {
      const options = { numClasses: 2, scoreThreshold, reduction: 'none' } as const;
      const reference = new ReferenceCriterion(options, 'adaptiveClassSuppression');
      const ones = new Int32Array(values.length / 2).fill(1);
      const output = new AdaptiveClassSuppressionLoss(options).forwardBackward(values, ones);
      expectOutput(output, reference.forwardBackward(values, ones));
    }
  });

  test.each([
    ['scoreThreshold', 0, 'scoreThreshold'],
    ['scoreThreshold', 1, 'scoreThreshold'],
    ['scoreThreshold', NaN, 'scoreThreshold'],
    ['backgroundWeight', [1, 2], 'backgroundWeight'],
    ['backgroundWeight', 1, 'backgroundWeight'],
    ['backgroundWeight', [1, -1, 1, 1, 1, 1], 'backgroundWeight[1]'],
    ['gamma', 2, 'gamma'],
  ])('refuses %s %j', (option, value, argument) => {
    const options = wrong({ numClasses, [option]: value });
    expectRefused(() => new AdaptiveClassSuppressionLoss(options), argument);
  });
});
