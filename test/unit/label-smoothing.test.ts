/** The options positiveThreshold and labelSmoothing: what is a positive, and what its target is. */
import * as efl from '../../lib';
import { expectClose } from '../reference/compare';
import {
  compareDense,
  compareMember,
  criterionOf,
  FAMILY,
  familySample,
  isStateful,
  takesQuality,
} from '../reference/family';
import type { CommonOptions } from '../reference/family';
import {
  expectSameOutput,
  expectSameState,
  expectStatistics,
  makeSample,
  stateOf,
} from '../reference/harness';
import { FINITE_EXTREMES } from '../reference/inputs';
import { arrangementCall, mapsOf, PYRAMID, rowsOfMaps, totalRows } from '../reference/maps';
import { halvesOf, numbersOf } from '../reference/half';
import { Random } from '../reference/random';

const smoothable = FAMILY.filter(
  (one) => !takesQuality(one) && !['asymmetric', 'classMargin'].includes(one.kind),
);
const labelSmoothing = 0.1;

/** What labels say, for `C` classes from label 1 on, smoothed. */
function smoothedTargets(labels: Int32Array, C: number, smoothing = labelSmoothing): Float32Array {
  return Float32Array.from({ length: labels.length * C }, (_, i) => {
    const y = labels[Math.floor(i / C)]! - 1 === i % C ? 1 : 0;
    return (1 - smoothing) * y + smoothing / C;
  });
}

/** Hard and soft targets, some of them small. */
function someTargets(seed: number, count: number): Float32Array {
  const random = new Random(seed);
  const draws = [() => 0, () => 1, () => 0.2 * random.next(), () => random.next()];
  return Float32Array.from({ length: count }, () => draws[random.integer(8) % 4]!());
}

describe('positiveThreshold', () => {
  const logits = new Float32Array(4).fill(-1);

  test('has the rows counted in which a class has a larger target', () => {
    const targets = smoothedTargets(Int32Array.of(1, 0, 2), 4, 0.2);
    const call = { normalizer: 'positives' } as const;
    const count = (positiveThreshold?: number): number =>
      new efl.FocalLoss({ numClasses: 4, positiveThreshold }).forward(
        new Float32Array(12),
        targets,
        call,
      ).positives;
    expect([undefined, 0.05, 0.06, 0.86].map(count)).toEqual([3, 2, 2, 0]);
  });

  test('makes negatives of the small qualities of a quality loss in its statistics', () => {
    const ratios = (targets: number[], positiveThreshold?: number): number[] => {
      const criterion = new efl.EqualizedQualityFocalLoss({ numClasses: 2, positiveThreshold });
      criterion.forwardBackward(logits, Float32Array.from(targets));
      return [...criterion.gradientRatio];
    };
    expect(ratios([0.9, 0.05, 0.05, 0.05])).toEqual([1, 1]);
    expect(ratios([0.9, 0.05, 0.05, 0.05], 0.05)).toEqual([1, 0]);
    expect(ratios([0.9, 0, 0, 0])).toEqual([1, 0]);
  });

  test.each([
    [
      'EqualizationLoss',
      (positiveThreshold?: number): efl.Criterion =>
        new efl.EqualizationLoss({ numClasses: 2, classFrequencies: [0, 0.5], positiveThreshold }),
    ],
    [
      'AdaptiveClassSuppressionLoss',
      (positiveThreshold?: number): efl.Criterion =>
        new efl.AdaptiveClassSuppressionLoss({ numClasses: 2, positiveThreshold }),
    ],
  ])('leaves a row of tiny targets a background row of %s', (_, make) => {
    const x = Float32Array.of(-0.5, 0.5);
    const tiny = new Float32Array(2).fill(1e-6);
    const background = make().forward(x, new Float32Array(2)).loss;
    expectClose('loss', make(1e-6).forward(x, tiny).loss, background, { relative: 1e-5 });
    expect(make().forward(x, tiny).loss).toBeLessThan(0.75 * background);
  });

  test('leaves loss and gradient of an element with a soft target as they are', () => {
    const { logits: x } = makeSample(901, 30, 9);
    const targets = someTargets(902, 270);
    const [plain, high] = [0, 0.5].map((positiveThreshold) =>
      new efl.EqualizedFocalLoss({ numClasses: 9, positiveThreshold }).forwardBackward(x, targets),
    );
    expect(high!.loss).toBe(plain!.loss);
    expect(high!.grad).toEqual(plain!.grad);
  });

  test('of 0 is the default', () => {
    expect(new efl.FocalLoss({ numClasses: 2 }).options.positiveThreshold).toBe(0);
  });

  test.each(FAMILY)('makes $name agree with its reference', (one) => {
    for (const columns of [1, 7, 19, 40]) {
      const { logits: x } = makeSample(903, 45, columns);
      const options = { numClasses: columns, positiveThreshold: 0.15 };
      compareDense(one, options, x, someTargets(904, 45 * columns));
    }
  });
});

describe('labelSmoothing', () => {
  const options = { numClasses: 19, labelSmoothing } as CommonOptions;

  test.each(smoothable)('gives $name what smoothed dense targets give', (one) => {
    const { logits, labels } = makeSample(911, 70, 19, { ignored: 0 });
    const byLabel = criterionOf(one, options);
    const plain = { numClasses: 19, positiveThreshold: 0.5 } as CommonOptions;
    const dense = criterionOf(one, plain);
    const call = { normalizer: 'positives' } as const;
    const actual = byLabel.forwardBackward(logits, labels, call);
    const expected = dense.forwardBackward(logits, smoothedTargets(labels, 19), call);
    expect(actual.positives).toBe(expected.positives);
    expectClose('loss', actual.loss, expected.loss, { relative: 1e-6 });
    const largest = Math.max(...expected.grad.map(Math.abs));
    expectClose('grad', actual.grad, expected.grad, { relative: 1e-5, absolute: 1e-6 * largest });
  });

  test.each(smoothable)('makes $name agree with its reference in any number of columns', (one) => {
    for (const numClasses of [1, 2, 7, 16, 33, 80]) {
      const sample = familySample(912, 75, numClasses);
      compareMember(one, { ...options, numClasses }, sample, { gradOutput: -0.5, lossScale: 16 });
      const targets = someTargets(913, 75 * numClasses);
      compareDense(one, { ...options, numClasses }, sample.logits, targets);
    }
  });

  test.each(smoothable)('makes $name agree with it element by element', (one) => {
    const sample = familySample(914, 60, 19);
    const gradOutput = Float32Array.from(sample.logits, (x) => x - 1);
    compareMember(one, { ...options, reduction: 'none' }, sample, { gradOutput });
  });

  test.each([1e-6, 0.1, 0.999])('of %d agrees with it at extreme logits', (smoothing) => {
    // Where a logit is 1e30, a modulator that float32 holds no more meets an enormous entropy.
    const extremes = FINITE_EXTREMES.filter((x) => Math.abs(x) < 1e30);
    const logits = Float32Array.from(extremes.flatMap((x) => [x, x]));
    const labels = Int32Array.from({ length: logits.length / 2 }, (_, i) => i % 3);
    for (const one of smoothable) {
      const extreme = { numClasses: 2, reduction: 'none', labelSmoothing: smoothing } as const;
      const sample = { logits, labels, quality: new Float32Array(labels.length) };
      compareMember(one, extreme, sample);
    }
  });

  test.each(smoothable)('of 0 leaves every bit of $name', (one) => {
    const { logits, labels } = makeSample(915, 70, 19);
    const [plain, zero] = [{ numClasses: 19 }, { ...options, labelSmoothing: 0 }].map((given) =>
      criterionOf(one, given),
    );
    const call = { normalizer: 'positives' } as const;
    const expected = plain!.forwardBackward(logits, labels, call);
    expectSameOutput(zero!.forwardBackward(logits, labels, call), expected);
    if (isStateful(zero!) && isStateful(plain!)) expectSameState(stateOf(zero), stateOf(plain));
  });

  test('says nothing of objectness, which is no class', () => {
    const given = { numClasses: 2, objectness: true, reduction: 'none' } as const;
    const logits = Float32Array.of(0.5, -1, 2, 1, 3, -0.5);
    const labels = Int32Array.of(1, 0);
    const [plain, smooth] = [0, 0.2].map(
      (smoothing) =>
        new efl.EqualizationLossV2({ ...given, labelSmoothing: smoothing }).forward(logits, labels)
          .elements!,
    );
    expectClose(
      'of objectness',
      [2, 5].map((i) => smooth![i]!),
      [2, 5].map((i) => plain![i]!),
      {
        relative: 1e-6,
      },
    );
    expect(smooth![0]).not.toBe(plain![0]);
  });

  test('keeps the statistics of labels whole: no negative counts as a positive in part', () => {
    const criterion = new efl.EqualizedFocalLoss({ numClasses: 2, labelSmoothing });
    const { grad } = criterion.forwardBackward(Float32Array.of(1, -1), Int32Array.of(1));
    expectClose('positive', criterion.statistics.positive, [Math.abs(grad[0]!), 0], {
      relative: 1e-6,
    });
    expectClose('negative', criterion.statistics.negative, [0, Math.abs(grad[1]!)], {
      relative: 1e-6,
    });
  });

  test.each([
    { layout: 'NCHW', anchors: 2, channelOrder: 'class-major' },
    { layout: 'NHWC', anchors: 2, channelOrder: 'class-major' },
    { layout: 'NCHW', anchors: 1, channelOrder: 'anchor-major' },
  ] as const)('is the same in %j', (arrangement) => {
    const rows = totalRows(PYRAMID, arrangement.anchors);
    const { logits, labels } = makeSample(916, rows, 19);
    const maps = mapsOf(logits, PYRAMID, 19, arrangement);
    const targets = smoothedTargets(labels, 19, 0).fill(0, 0, 19);
    for (const one of smoothable) {
      const [plain, mapped] = [1, 2].map(() => criterionOf(one, options));
      const expected = plain!.forwardBackward(logits, targets);
      const output = mapped!.forwardBackward(
        maps.tensors,
        mapsOf(targets, PYRAMID, 19, arrangement).tensors,
        arrangementCall(arrangement),
      );
      expectClose('grad', rowsOfMaps(output.grad, maps), expected.grad, { relative: 1e-5 });
      expectClose('loss', output.loss, expected.loss, { relative: 1e-6 });
      if (isStateful(mapped!) && isStateful(plain!)) {
        expectStatistics(mapped.statistics, plain.statistics);
      }
    }
  });

  test.each(['float16', 'bfloat16'] as const)('takes logits of %s', (dtype) => {
    const { logits, labels } = makeSample(917, 50, 40);
    const halves = halvesOf(logits, dtype);
    const rounded = Float32Array.from(numbersOf(halves, dtype));
    const criterion = new efl.FocalLoss({ numClasses: 40, labelSmoothing });
    const shape = [50, 40];
    const { loss } = criterion.forwardBackward({ data: halves, dtype, shape }, labels);
    expectClose('loss', loss, criterion.forward(rounded, labels).loss, { relative: 1e-6 });
  });

  test('has the same loss and gradient asynchronously', async () => {
    const { logits, labels } = makeSample(918, 50, 40);
    const criterion = new efl.FocalLoss({ numClasses: 40, labelSmoothing });
    const expected = criterion.forwardBackward(logits, labels);
    expectSameOutput(await criterion.forwardBackwardAsync(logits, labels), expected);
  });
});

describe.each([
  ['labelSmoothing', efl.FocalLoss],
  ['positiveThreshold', efl.FocalLoss],
  ['positiveThreshold', efl.EqualizedQualityFocalLoss],
] as const)('%s of %p', (name, Loss) => {
  test.each([-0.1, 1, 1.5, NaN, Infinity])('cannot be %d', (value) => {
    const make = (): efl.Criterion => new Loss({ numClasses: 2, [name]: value });
    expect(make).toThrow(`${name}: expected a number in [0, 1), received ${value}`);
  });
});

test.each([efl.QualityFocalLoss, efl.EqualizedQualityFocalLoss])(
  '%p refuses to smooth qualities, which are soft targets by themselves',
  (Loss) => {
    const given = { numClasses: 2, labelSmoothing: 0.1 } as { numClasses: number };
    expect(() => new Loss(given)).toThrow('labelSmoothing');
  },
);
