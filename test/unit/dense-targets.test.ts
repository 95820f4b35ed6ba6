import { EqualizationLossV2, EqualizedFocalLoss, FocalLoss, functional } from '../../lib';
import { ELEMENT, expectClose, expectSame } from '../reference/compare';
import { ReferenceCriterion } from '../reference/criterion';
import {
  compareDense,
  criterionOf,
  FAMILY,
  familySample,
  isStateful,
  qualityCall,
  takesQuality,
} from '../reference/family';
import {
  countsOf,
  expectOutput,
  expectSameOutput,
  expectSameState,
  expectStatistics,
  makeSample,
  stateOf,
  valuesOf,
} from '../reference/harness';
import { FINITE_EXTREMES, NON_FINITE, normalLogits } from '../reference/inputs';
import { cutByLevel } from '../reference/layout';
import { arrangementCall, mapsOf, PYRAMID, rowsOfMaps, totalRows } from '../reference/maps';
import { Random } from '../reference/random';

/** A target for each element: what the label says, worth `value` where it says yes. */
function oneHot(
  labels: Int32Array,
  numClasses: number,
  value: (row: number) => number = () => 1,
): Float32Array {
  const targets = new Float32Array(labels.length * numClasses);
  labels.forEach((label, row) => {
    if (label > 0) {
      targets[row * numClasses + label - 1] = value(row);
    }
  });
  return targets;
}

/** Rows of none, one and several positives, hard and soft. */
function mixedTargets(seed: number, rows: number, numClasses: number): Float32Array {
  const random = new Random(seed);
  const kinds = [
    () => 0,
    () => (random.next() < 0.3 ? 1 : 0),
    () => random.next(),
    () => Math.max(0, random.uniform(-1, 1)),
  ];
  return Float32Array.from({ length: rows * numClasses }, (_, at) =>
    kinds[Math.floor(at / numClasses) % kinds.length]!(),
  );
}

describe.each(FAMILY)('dense targets of $name', (one) => {
  const numClasses = 19;

  test('that are one-hot give what labels give, to the last bit', () => {
    const { logits, labels } = makeSample(381, 70, numClasses, { ignored: 0 });
    const perfect = new Float32Array(labels.length).fill(1);
    const [byLabel, dense] = [1, 2].map(() => criterionOf(one, { numClasses }));
    const call = { normalizer: 'positives' } as const;
    const expected = byLabel!.forwardBackward(logits, labels, {
      ...call,
      ...qualityCall(one, perfect),
    });
    expectSameOutput(dense!.forwardBackward(logits, oneHot(labels, numClasses), call), expected);
    if (isStateful(dense!) && isStateful(byLabel!)) {
      expectSameState(stateOf(dense), stateOf(byLabel));
    }
  });

  test.each([1, 2, 7, 16, 33])('agree with the reference in rows of %d', (columns) => {
    const { logits } = makeSample(382, 40, columns);
    const { output } = compareDense(
      one,
      { numClasses: columns },
      logits,
      mixedTargets(383, 40, columns),
    );
    expect(output.ignored).toBe(0);
  });

  test.each(['sum', 'mean', 'none'] as const)('agree with it with reduction %s', (reduction) => {
    const { logits } = makeSample(384, 40, 9);
    const options = { numClasses: 9, reduction, lossWeight: 2 };
    const call = { gradOutput: -0.5, lossScale: 16 };
    compareDense(one, options, logits, mixedTargets(385, 40, 9), call);
  });

  test.each([0, 1, 0.5, 1e-6, 0.999])('agree with it at extreme logits with target %d', (y) => {
    const logits = Float32Array.from([...FINITE_EXTREMES, 1e4, -1e4]);
    const options = { numClasses: 1, reduction: 'none' } as const;
    compareDense(one, options, logits, new Float32Array(logits.length).fill(y));
  });

  test.each(NON_FINITE)('have the limits of the formula at %d', (x) => {
    const logits = Float32Array.of(x, 1, x, 1, x, 1);
    const options = { numClasses: 2, reduction: 'none' } as const;
    const targets = Float32Array.of(0, 0, 1, 0, 0.25, 0.5);
    expect(compareDense(one, options, logits, targets).output.nonFinite).toBe(3);
  });

  test('agree with it without rows, and on rows that several threads share', () => {
    compareDense(one, { numClasses }, new Float32Array(0), new Float32Array(0));
    const { logits } = makeSample(386, 5000, numClasses);
    compareDense(one, { numClasses }, logits, mixedTargets(387, 5000, numClasses));
  });

  test.each([
    { layout: 'NCHW', anchors: 2, channelOrder: 'class-major' },
    { layout: 'NHWC', anchors: 2, channelOrder: 'class-major' },
    { layout: 'NCHW', anchors: 1, channelOrder: 'anchor-major' },
  ] as const)('lie as the logits do, in %j', (arrangement) => {
    const rows = totalRows(PYRAMID, arrangement.anchors);
    const { logits } = makeSample(388, rows, numClasses);
    const targets = mixedTargets(389, rows, numClasses);
    const maps = mapsOf(logits, PYRAMID, numClasses, arrangement);
    const [plain, mapped] = [1, 2].map(() => criterionOf(one, { numClasses }));
    const expected = plain!.forwardBackward(logits, targets);
    const output = mapped!.forwardBackward(
      maps.tensors,
      mapsOf(targets, PYRAMID, numClasses, arrangement).tensors,
      arrangementCall(arrangement),
    );
    expectSame('grad', rowsOfMaps(output.grad, maps), expected.grad);
    expectClose('loss', output.loss, expected.loss, { relative: 1e-6 });
    expect(countsOf(output)).toEqual(countsOf(expected));
    if (isStateful(mapped!) && isStateful(plain!)) {
      expectStatistics(mapped.statistics, plain.statistics);
    }
  });
});

describe.each(FAMILY.filter(takesQuality))('dense targets of $name', (one) => {
  test('are the qualities of the classes', () => {
    const { logits, labels, quality } = familySample(393, 70, 9, { ignored: 0 });
    const positive = quality.map((q) => Math.max(q, 0.01));
    const [byLabel, dense] = [1, 2].map(() => criterionOf(one, { numClasses: 9 }));
    expectSameOutput(
      dense!.forwardBackward(
        logits,
        oneHot(labels, 9, (row) => positive[row]!),
      ),
      byLabel!.forwardBackward(logits, labels, { quality: positive }),
    );
  });
});

describe('dense targets', () => {
  test('of FocalLoss are those of functional.sigmoidFocalLoss', () => {
    const { logits } = makeSample(394, 40, 7);
    const targets = mixedTargets(395, 40, 7);
    const options = { alpha: 0.4, gamma: 1.5 };
    const criterion = new FocalLoss({ numClasses: 7, ...options });
    const output = criterion.forwardBackward(logits, targets);
    const expected = functional.sigmoidFocalLossWithGrad(logits, targets, {
      ...options,
      reduction: 'sum',
    });
    expectClose('loss', output.loss, expected.loss, ELEMENT);
    expectClose('grad', output.grad, expected.grad, { relative: 1e-5, absolute: 1e-6 });
  });

  test('divide |gradient| between both sums by their value', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 2 });
    const { grad } = criterion.forwardBackward(Float32Array.of(1, -1), Float32Array.of(0.25, 1));
    const [soft, hard] = Array.from(grad, Math.abs);
    expectStatistics(criterion.statistics, {
      positive: Float64Array.of(0.25 * soft!, hard!),
      negative: Float64Array.of(0.75 * soft!, 0),
    });
  });

  test('make a row positive where any of them is more than 0', () => {
    const targets = Float32Array.of(0, 0, 1, 1, 0, 1e-30, 0, 0);
    const criterion = new FocalLoss({ numClasses: 2 });
    const output = criterion.forward(new Float32Array(8), targets, { normalizer: 'positives' });
    expect(output).toMatchObject({ positives: 2, ignored: 0 });
    const sum = criterion.forward(new Float32Array(8), targets);
    expectClose('loss', output.loss, sum.loss / 2, ELEMENT);
  });

  test('have a column of their own for objectness', () => {
    const options = { numClasses: 3, objectness: true } as const;
    const random = new Random(396);
    const logits = normalLogits(random, 30, 4);
    const targets = mixedTargets(397, 30, 4);
    const reference = new ReferenceCriterion(options, 'equalizationV2');
    const criterion = new EqualizationLossV2(options);
    const expected = reference.forwardBackward(logits, { dense: targets });
    expectOutput(criterion.forwardBackward(logits, targets), expected);
    expectStatistics(criterion.statistics, reference);
  });

  test('may be a list of bare arrays, cut as the levels', () => {
    const { logits } = makeSample(398, totalRows(PYRAMID, 1), 3);
    const targets = mixedTargets(399, totalRows(PYRAMID, 1), 3);
    const cut = (values: Float32Array) =>
      cutByLevel(values, PYRAMID, 1, 3).map((data) => ({ data, shape: [data.length / 3, 3] }));
    const criterion = new FocalLoss({ numClasses: 3 });
    const expected = criterion.forwardBackward(logits, targets);
    const bare = cut(targets).map(({ data }) => data);
    for (const given of [cut(targets), bare]) {
      const output = criterion.forwardBackward(cut(logits), given);
      expectSame('grad', valuesOf(output.grad), expected.grad);
    }
  });
});
