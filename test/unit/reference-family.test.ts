import { expectClose } from '../reference/compare';
import { ReferenceCriterion } from '../reference/criterion';
import { alphaWeights } from '../reference/element';
import { FAMILY, familySample, qualityCall } from '../reference/family';
import { QUALITY_GOLDEN, V2_DIGITS, V2_WEIGHTS } from '../reference/golden';
import { FINITE_EXTREMES, NON_FINITE } from '../reference/inputs';
import { OfficialV2 } from '../reference/official-v2';
import { toMatrix } from '../reference/officialListing';
import { KINDS } from '../reference/kinds';
import { qualityElement } from '../reference/quality';
import { Random } from '../reference/random';
import type { Targets } from '../reference/targets';

const PLAIN = alphaWeights(-1);

describe('the float64 element of a quality', () => {
  test.each(QUALITY_GOLDEN)(
    'has the golden values at quality $quality, x $x, gamma $gamma',
    ({ quality, x, gamma, loss, gradient }) => {
      const weights = { positive: gamma / 2, negative: gamma / 2 };
      const element = qualityElement(x, quality, gamma, weights);
      expectClose('loss', element.loss, loss, { relative: 1e-11 });
      expectClose('gradient', element.gradient, gradient, { relative: 1e-11 });
    },
  );

  test('comes near the hard targets when the quality does', () => {
    for (const x of [-30, -3, 0, 3, 30]) {
      for (const [near, hard] of [
        [1e-14, 0],
        [1 - 1e-14, 1],
      ] as const) {
        const tolerance = { relative: 1e-9, absolute: 1e-25 };
        const element = qualityElement(x, near, 2, PLAIN);
        const limit = qualityElement(x, hard, 2, PLAIN);
        expectClose(`loss at ${x}`, element.loss, limit.loss, tolerance);
        expectClose(`gradient at ${x}`, element.gradient, limit.gradient, tolerance);
      }
    }
  });

  test.each([1, 1.5, 2, 10])('is 0 where score and quality agree, at gamma %d', (gamma) => {
    const element = qualityElement(0, 0.5, gamma, PLAIN);
    expect([element.loss, Math.abs(element.gradient)]).toEqual([0, 0]);
  });

  test.each([0, 0.3, 1])('is finite at every finite logit, quality %d', (quality) => {
    for (const x of FINITE_EXTREMES) {
      const { loss, gradient } = qualityElement(x, quality, 2, PLAIN);
      expect([x, Number.isFinite(loss) && Number.isFinite(gradient)]).toEqual([x, true]);
    }
  });

  test.each(NON_FINITE)('has the limit of its formula at %d', (x) => {
    const { loss, gradient } = qualityElement(x, 0.25, 2, PLAIN);
    const limits = { Infinity: [Infinity, 0.75 ** 2], '-Infinity': [Infinity, -(0.25 ** 2)] };
    const [wantedLoss, wantedGradient] = limits[String(x) as keyof typeof limits] ?? [NaN, NaN];
    expectClose('loss', loss, wantedLoss!, { relative: 0 });
    // The modulator times d; the other term vanishes.
    expectClose('gradient', gradient, wantedGradient! * (x > 0 ? 0.75 : 0.25), { relative: 1e-15 });
  });
});

describe.each(FAMILY)('the reference of $name', (one) => {
  const numClasses = 5;
  const options = { numClasses, reduction: 'none' } as const;
  const { logits, labels, quality } = familySample(301, 12, numClasses);
  const random = new Random(302);
  const dense = Float64Array.from(logits, () => Math.max(0, random.uniform(-0.5, 1)));
  const factors = Float64Array.from(logits, () => random.uniform(-2, 2));

  test.each<[string, Targets]>([
    ['labels', labels],
    ['dense targets', { dense }],
  ])('has the slope of its loss as gradient with %s', (_, targets) => {
    // Those of a loss that takes some of it for constant are held to golden values.
    if (KINDS[one.kind].isDetached) return;
    const reference = one.reference(options);
    const call = { gradOutput: factors, ...qualityCall(one, quality) };
    const { grad, elements } = reference.forwardBackward(logits, targets, call);
    const elementAt = (at: number, x: number): number => {
      const moved = Float64Array.from(logits);
      moved[at] = x;
      return one.reference(options).forward(moved, targets, call).elements[at]!;
    };
    const step = 1e-4;
    const slopes = Float64Array.from(logits, (x, at) => {
      const rise = elementAt(at, x + step) - elementAt(at, x - step);
      return (factors[at]! * rise) / (x + step - (x - step));
    });
    const absolute = Array.from(elements, (loss) => 1e-9 + 1e-9 * loss);
    expectClose('grad', grad, slopes, { relative: 1e-5, absolute });
  });
});

describe('the reference of Equalization Loss v2', () => {
  test.each(V2_WEIGHTS)('has the golden weights at ratio $ratio', (golden) => {
    const reference = new ReferenceCriterion({ numClasses: 1 }, 'equalizationV2');
    reference.load({ pos_grad: [0], neg_grad: [0], pos_neg: [golden.ratio] });
    const { negative, positive } = reference.factors(0);
    expectClose('negative', negative, golden.negative, { relative: V2_DIGITS });
    expectClose('positive', positive, golden.positive, { relative: V2_DIGITS });
  });

  test.each([false, true])(
    'does the same as the official listing, step by step, with objectness %s',
    (objectness) => {
      const numClasses = 4;
      const columns = objectness ? 5 : 4;
      const official = new OfficialV2(numClasses);
      const reference = new ReferenceCriterion({ numClasses, objectness }, 'equalizationV2');
      const random = new Random(303);
      for (let step = 0; step < 5; step += 1) {
        const logits = Float64Array.from({ length: 30 * columns }, () => random.normal(-1, 2));
        const labels = Array.from({ length: 30 }, () => random.integer(numClasses + 1));
        // Column 4 is that of objectness, or none at all.
        const positives = labels.map((label) => (label === 0 ? numClasses : label - 1));
        const expected = official.forward(toMatrix(logits, columns), positives);
        const { loss } = reference.forwardBackward(logits, labels);
        const tolerance = { relative: 1e-11 };
        // Its statistics are those of the sum, whatever the loss is divided by.
        expectClose(`loss of step ${step}`, loss / 30, expected, tolerance);
        expectClose(`positive after ${step}`, reference.positive, official.posGrad, tolerance);
        expectClose(`negative after ${step}`, reference.negative, official.negGrad, tolerance);
        expectClose(`ratio after ${step}`, reference.ratio, official.posNeg, tolerance);
      }
    },
  );
});

describe('the reference of the losses without statistics', () => {
  test('leaves out negatives of rare classes in rows with a class', () => {
    const reference = new ReferenceCriterion(
      { numClasses: 3, classFrequencies: [0.001, 0.5, 0.00177], reduction: 'none' },
      'equalization',
    );
    const { elements } = reference.forward([0, 0, 0, 0, 0, 0], [2, 0]);
    const one = Math.LN2;
    expectClose('elements', elements, [0, one, one, one, one, one], { relative: 1e-15 });
  });

  test('leaves out negatives with a low score in rows with a class', () => {
    const reference = new ReferenceCriterion(
      { numClasses: 3, backgroundWeight: [1, 0.1, 0.01], reduction: 'none' },
      'adaptiveClassSuppression',
    );
    const low = Math.log(0.69 / 0.31);
    const high = Math.log(0.71 / 0.29);
    const { elements } = reference.forward([low, low, high, low, low, high], [1, 0]);
    expectClose(
      'elements',
      elements,
      [
        -Math.log(0.69),
        0,
        -Math.log(0.29),
        -Math.log(0.31),
        -0.1 * Math.log(0.31),
        -0.01 * Math.log(0.29),
      ],
      { relative: 1e-14 },
    );
  });
});
