import { FocalLoss, functional } from '../../lib';
import { ELEMENT, expectClose, expectSame } from '../reference/compare';
import { denseReference } from '../reference/dense';
import type { DenseOptions } from '../reference/dense';
import { GOLDEN, GOLDEN_BASE_GAMMA } from '../reference/golden';
import { expectRefused, makeSample, valuesOf, wrong } from '../reference/harness';
import { FINITE_EXTREMES, GAMMAS, NON_FINITE } from '../reference/inputs';
import { Random } from '../reference/random';

const { sigmoidFocalLoss, sigmoidFocalLossWithGrad } = functional;

const random = new Random(171);
const logits = Float32Array.from({ length: 331 }, () => random.normal(0, 5));
const soft = Float32Array.from(logits, () => random.next());
const hard = Float32Array.from(logits, () => random.integer(2));

/** Both functions against the reference; the soft gradient is a difference of terms. */
function compare(
  values: Float32Array,
  targets: Float32Array,
  options: DenseOptions = {},
  gradOutput: number | Float32Array = 1,
): void {
  const expected = denseReference(values, targets, options, gradOutput);
  const output = sigmoidFocalLossWithGrad(values, targets, { ...options, gradOutput });
  expectClose('loss', output.loss, expected.loss, ELEMENT);
  expectClose('grad', output.grad, expected.grad, {
    relative: 0,
    absolute: expected.gradScale.map((scale) => Math.max(1e-37, 1e-5 * scale)),
  });
  const plain = sigmoidFocalLoss(values, targets, options);
  expectSame('loss of both', plain.loss, output.loss);
  expect(plain.nonFinite).toBe(expected.nonFinite);
  expect(output.nonFinite).toBe(expected.nonFinite);
  if ((options.reduction ?? 'none') === 'none') {
    expectClose('elements', output.elements!, expected.elements, ELEMENT);
    expectSame('elements of both', plain.elements!, output.elements!);
  } else {
    expect([plain.elements, output.elements]).toEqual([undefined, undefined]);
  }
}

describe('functional.sigmoidFocalLoss', () => {
  test.each(['none', 'mean', 'sum'] as const)(
    'agrees with the reference for soft and hard targets with reduction %s',
    (reduction) => {
      compare(logits, soft, { reduction });
      compare(logits, hard, { reduction });
    },
  );

  test.each(GAMMAS)('agrees with the reference at gamma %d', (gamma) => {
    compare(logits, soft, { gamma });
    compare(logits, hard, { gamma });
  });

  test.each([0, 0.25, 0.9, 1, -1])('agrees with the reference at alpha %d', (alpha) => {
    compare(logits, soft, { alpha });
    compare(logits, hard, { alpha });
  });

  test('has the defaults of torchvision: alpha 0.25, gamma 2, reduction none', () => {
    const output = sigmoidFocalLoss(logits, soft);
    const spelled = sigmoidFocalLoss(logits, soft, { alpha: 0.25, gamma: 2, reduction: 'none' });
    expectSame('elements', output.elements!, spelled.elements!);
    compare(logits, soft);
  });

  test('has the golden values for hard targets', () => {
    for (const { x, isPositive, gamma, loss, gradient } of GOLDEN) {
      if (gamma === GOLDEN_BASE_GAMMA) {
        const target = Float32Array.of(isPositive ? 1 : 0);
        const output = sigmoidFocalLossWithGrad(Float32Array.of(x), target);
        expectClose(`loss at ${x}`, output.loss, loss, ELEMENT);
        expectClose(`gradient at ${x}`, output.grad, gradient, ELEMENT);
      }
    }
  });

  test('equals FocalLoss for hard targets', () => {
    const sample = makeSample(172, 40, 7, { ignored: 0 });
    const targets = new Float32Array(280);
    sample.labels.forEach((label, row) => {
      if (label > 0) {
        targets[7 * row + label - 1] = 1;
      }
    });
    const options = { alpha: 0.4, gamma: 1.5, reduction: 'none' } as const;
    const criterion = new FocalLoss({ numClasses: 7, ...options });
    const expected = criterion.forwardBackward(sample.logits, sample.labels);
    const output = sigmoidFocalLossWithGrad(sample.logits, targets, options);
    expectClose('elements', output.elements!, expected.elements!, ELEMENT);
    expectClose('grad', output.grad, expected.grad, ELEMENT);
    expectClose('loss', output.loss, expected.loss, ELEMENT);
  });

  test('takes rows with several positives', () => {
    compare(Float32Array.of(1, 2, -3), Float32Array.of(1, 1, 1));
  });

  test('has as mean the sum over the number of elements', () => {
    const sum = sigmoidFocalLossWithGrad(logits, soft, { reduction: 'sum' });
    const mean = sigmoidFocalLossWithGrad(logits, soft, { reduction: 'mean' });
    expectClose('loss', mean.loss, sum.loss / 331, ELEMENT);
    expectClose(
      'grad',
      mean.grad,
      sum.grad.map((g) => g / 331),
      ELEMENT,
    );
  });

  test.each([0, 1, 0.5, 1e-6, 0.999])('agrees at extreme logits with target %d', (target) => {
    const values = Float32Array.from(FINITE_EXTREMES);
    for (const gamma of GAMMAS) {
      compare(values, new Float32Array(values.length).fill(target), { gamma });
    }
  });

  test.each(NON_FINITE)('propagates %d to its own element and counts it', (x) => {
    const values = logits.slice();
    values[100] = x;
    const undisturbed = sigmoidFocalLossWithGrad(logits, hard);
    const output = sigmoidFocalLossWithGrad(values, hard);
    expect(output.nonFinite).toBe(1);
    const elements = undisturbed.elements!.slice();
    const grad = undisturbed.grad.slice();
    elements[100] = output.elements![100]!;
    grad[100] = output.grad[100]!;
    expectSame('elements', output.elements!, elements);
    expectSame('grad', output.grad, grad);
    const expected = denseReference(values, hard);
    expectClose('element', elements[100], expected.elements[100]!, ELEMENT);
    expectClose('gradient', grad[100], expected.grad[100]!, ELEMENT);
    expectClose('loss', output.loss, expected.loss, ELEMENT);
  });

  test.each(['none', 'mean', 'sum'] as const)('of nothing is 0 with reduction %s', (reduction) => {
    const nothing = new Float32Array(0);
    const output = sigmoidFocalLossWithGrad(nothing, nothing, { reduction });
    expect(output).toMatchObject({ loss: 0, nonFinite: 0 });
    expect(output.grad).toHaveLength(0);
  });

  test('leaves logits and targets as they are', () => {
    const kept = { logits: logits.slice(), soft: soft.slice() };
    sigmoidFocalLossWithGrad(logits, soft);
    expectSame('logits', logits, kept.logits);
    expectSame('targets', soft, kept.soft);
  });

  test('takes and gives host tensors', () => {
    const shape = [3, 11, 10];
    const tensor = { data: logits.subarray(1), shape };
    const targets = { data: soft.subarray(1), shape };
    const output = sigmoidFocalLossWithGrad(tensor, targets);
    expect(output.grad.shape).toEqual(shape);
    expect(output.elements!.shape).toEqual(shape);
    const bare = sigmoidFocalLossWithGrad(tensor.data, targets.data);
    expectSame('grad', output.grad.data, bare.grad);
    expectSame('elements', output.elements!.data, bare.elements!);
  });
});

describe('functional.sigmoidFocalLossWithGrad', () => {
  test.each([2, -0.5, 0])('multiplies the gradient by gradOutput %d', (gradOutput) => {
    for (const reduction of ['none', 'mean', 'sum'] as const) {
      compare(logits, soft, { reduction }, gradOutput);
    }
  });

  test('multiplies the gradient by a gradOutput for each element', () => {
    compare(
      logits,
      soft,
      {},
      Float32Array.from(logits, () => random.normal()),
    );
  });

  test('writes into the gradient of the caller, or over the logits', () => {
    const expected = sigmoidFocalLossWithGrad(logits, soft);
    const grad = new Float32Array(331);
    expect(sigmoidFocalLossWithGrad(logits, soft, { grad }).grad).toBe(grad);
    expectSame('grad', grad, expected.grad);
    const both = logits.slice();
    const inPlace = sigmoidFocalLossWithGrad(both, soft, { grad: both });
    expect(inPlace.grad).toBe(both);
    expectSame('in place', both, expected.grad);
    expectSame('loss', inPlace.loss, expected.loss);
  });

  test('writes into a host tensor of the caller', () => {
    const shape = [331];
    const grad = { data: new Float32Array(331), shape };
    const output = sigmoidFocalLossWithGrad({ data: logits, shape }, soft, { grad });
    expect(output.grad).toBe(grad);
    expectSame('grad', valuesOf(grad), sigmoidFocalLossWithGrad(logits, soft).grad);
  });

  const around = new Float32Array(700);

  test.each<[string, unknown, unknown, unknown, RegExp]>([
    ['logits of another type', [1, 2], soft, {}, /^logits/],
    ['no logits', undefined, soft, {}, /^logits/],
    ['too few targets', logits, soft.subarray(1), {}, /^targets/],
    ['targets of another type', logits, Array.from(soft), {}, /^targets/],
    ['no targets', logits, undefined, {}, /^targets/],
    ['a target above 1', logits, hard.map((y, i) => (i === 9 ? 1.0001 : y)), {}, /^targets\[9\]$/],
    ['a target below 0', logits, hard.map((y, i) => (i === 0 ? -1 : y)), {}, /^targets\[0\]$/],
    ['a target of NaN', logits, hard.map((y, i) => (i === 330 ? NaN : y)), {}, /^targets\[330\]$/],
    [
      'targets of another shape',
      { data: logits, shape: [331, 1] },
      { data: soft, shape: [1, 331] },
      {},
      /^targets/,
    ],
    ['alpha above 1', logits, soft, { alpha: 1.5 }, /^alpha$/],
    ['alpha of NaN', logits, soft, { alpha: NaN }, /^alpha$/],
    ['gamma below 0', logits, soft, { gamma: -1 }, /^gamma$/],
    ['an infinite gamma', logits, soft, { gamma: Infinity }, /^gamma$/],
    ['an unknown reduction', logits, soft, { reduction: 'avg' }, /^reduction$/],
    ['an unknown option', logits, soft, { gama: 2 }, /^gama$/],
    ['gradOutput of NaN', logits, soft, { gradOutput: NaN }, /^gradOutput$/],
    ['gradOutput too short', logits, soft, { gradOutput: soft.subarray(1) }, /^gradOutput/],
    [
      'gradOutput per element with a sum',
      logits,
      soft,
      { gradOutput: soft, reduction: 'sum' },
      /^gradOutput/,
    ],
    ['a gradient too short', logits, soft, { grad: new Float32Array(330) }, /^grad/],
    ['a gradient of another type', logits, soft, { grad: new Float64Array(331) }, /^grad/],
    [
      'a gradient that overlaps the logits',
      around.subarray(0, 331),
      soft,
      { grad: around.subarray(1, 332) },
      /^grad$/,
    ],
  ])('refuses %s', (_, values, targets, options, argument) => {
    const grad = new Float32Array(331).fill(7);
    expectRefused(
      () =>
        sigmoidFocalLossWithGrad(
          wrong(values),
          wrong(targets),
          wrong({ grad, ...(wrong(options) as object) }),
        ),
      argument,
    );
    expectSame('grad', grad, new Float32Array(331).fill(7));
  });

  test('alone has the options of the gradient', () => {
    for (const option of ['grad', 'gradOutput']) {
      const options = wrong({ [option]: logits.slice() });
      expectRefused(() => sigmoidFocalLoss(logits, soft, options), option);
    }
  });
});
