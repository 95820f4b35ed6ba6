/** Weights of rows, and elements and classes that are left out of a call. */

import { EqualizationLossV2, EqualizedFocalLoss, FocalLoss, QualityFocalLoss } from '../../lib';
import { expectClose, STATISTICS } from '../reference/compare';
import {
  compareDense,
  compareMember,
  criterionOf,
  FAMILY,
  familySample,
  isStateful,
  qualityCall,
} from '../reference/family';
import type { Member } from '../reference/family';
import {
  expectRefused,
  expectSameOutput,
  expectSameState,
  stateOf,
  valuesOf,
  wrong,
} from '../reference/harness';
import type { Call } from '../reference/harness';
import { Random } from '../reference/random';

const ROWS = 60;
const CLASSES = 37;
const options = { numClasses: CLASSES };

function weightsOf(seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: ROWS }, () => Math.max(0, random.uniform(-0.4, 2)));
}

function bytesOf(seed: number, length: number): Uint8Array {
  const random = new Random(seed);
  return Uint8Array.from({ length }, () => random.integer(4));
}

/** Everything that may stand in a logit that is left out. */
function withNaN(logits: Float32Array, mask: Uint8Array): Float32Array {
  return logits.map((logit, at) => (mask[at] === 0 ? [NaN, Infinity, logit][at % 3]! : logit));
}

function compute(one: Member, given: ReturnType<typeof familySample>, call: Call, changes = {}) {
  const criterion = criterionOf(one, { ...options, ...changes });
  const { logits, labels, quality } = given;
  const output = criterion.forwardBackward(logits, labels, {
    ...call,
    ...qualityCall(one, quality),
  });
  return { output, state: isStateful(criterion) ? stateOf(criterion) : undefined };
}

describe('class-balanced focal loss', () => {
  // Weights of effective number with beta .9999 for 1000, 100, 10 and 1 instances.
  const ofClass = [0.003782702969, 0.0361773844, 0.3601509236, 3.599888989];
  const labels = [0, 3, 2];
  const logits = Float32Array.from([2, -1, 0.5, -3, 0, 1, -2, 0.25, -0.5, 1.5, 0.75, -1]);

  test('is focal loss with the weight of the label for the row', () => {
    const criterion = new FocalLoss({ numClasses: 4, background: 'none', alpha: -1, gamma: 2 });
    const rowWeight = labels.map((label) => ofClass[label]!);
    const call = { rowWeight, normalizer: 'positives' } as const;
    const { loss, grad } = criterion.forwardBackward(logits, labels, call);
    expect(loss).toBeCloseTo(1.337445031822, 6);
    const golden = [
      ...[-0.0000061418, 0.0000662996, 0.0006634254, 0.000000397],
      ...[0.3579331165, 0.9218532403, 0.005844948, -0.2496599561],
      ...[0.016559379, 0.1154193297, -0.0104575417, 0.0063123808],
    ];
    expectClose('grad', grad, golden, { relative: 1e-5, absolute: 1e-9 });
  });
});

describe.each(FAMILY)('$name', (one) => {
  const sample = familySample(11, ROWS, CLASSES);
  const rowWeight = weightsOf(12);
  const mask = bytesOf(13, ROWS * CLASSES);
  const classMask = bytesOf(14, CLASSES);

  test('agrees with the reference where rows have weights', () => {
    compareMember(one, options, sample, { rowWeight, normalizer: 'weights' });
  });

  test('agrees with the reference where elements are masked and hold NaN', () => {
    const logits = withNaN(sample.logits, mask);
    const { output } = compareMember(one, options, { ...sample, logits }, { mask, classMask });
    expect(output.nonFinite).toBe(0);
  });

  test('agrees with the reference where dense targets are masked and hold anything', () => {
    const random = new Random(5);
    const dense = Float32Array.from(mask, (byte) =>
      byte === 0 ? -7 : Math.max(0, random.uniform(-3, 1)),
    );
    compareDense(one, options, withNaN(sample.logits, mask), dense, { mask, rowWeight });
  });

  test('takes a weight as an upstream gradient of all elements of the row', () => {
    const weighed = compute(one, sample, { rowWeight });
    const gradOutput = sample.logits.map((_, at) => rowWeight[Math.floor(at / CLASSES)]!);
    const expected = compute(one, sample, { gradOutput }, { reduction: 'none' });
    expectClose('grad', valuesOf(weighed.output.grad), valuesOf(expected.output.grad), {
      relative: 1e-5,
      absolute: 1e-30,
    });
    const elements = valuesOf(expected.output.elements!);
    const loss = elements.reduce((sum, element, at) => sum + element * gradOutput[at]!, 0);
    expect(weighed.output.loss / loss).toBeCloseTo(1, 5);
    if (!weighed.state) return;
    expectClose('positive', weighed.state.positive, expected.state!.positive, STATISTICS);
    expectClose('negative', weighed.state.negative, expected.state!.negative, STATISTICS);
  });

  test('takes a row of weight 0 for one with an ignored label', () => {
    const ones = rowWeight.map((weight) => (weight === 0 ? 0 : 1));
    const labels = sample.labels.map((label, row) => (ones[row] === 0 ? -1 : label));
    const weighed = compute(one, sample, { rowWeight: ones });
    const ignored = compute(one, { ...sample, labels }, {});
    expectClose('grad', valuesOf(weighed.output.grad), valuesOf(ignored.output.grad), {
      relative: 1e-6,
      absolute: 1e-30,
    });
    expect(weighed.output.ignored).toBe(ignored.output.ignored);
    expect(weighed.output.positives).toBe(ignored.output.positives);
  });

  test('takes a class mask for a mask of its columns, to the last bit but for sums', () => {
    const columns = mask.map((_, at) => classMask[at % CLASSES]!);
    const byClass = compute(one, sample, { classMask });
    const byElement = compute(one, sample, { mask: columns });
    expectClose('loss', byClass.output.loss, byElement.output.loss, { relative: 1e-6 });
    expectClose('grad', valuesOf(byClass.output.grad), valuesOf(byElement.output.grad), {
      relative: 1e-6,
      absolute: 1e-30,
    });
    expect(byClass.output.positives).toBe(byElement.output.positives);
  });

  test('gives exactly 0 where an element is left out', () => {
    const { grad } = compute(one, sample, { mask, classMask, rowWeight }).output;
    const isLeftOut = (at: number): boolean =>
      mask[at] === 0 || classMask[at % CLASSES] === 0 || rowWeight[Math.floor(at / CLASSES)] === 0;
    const left = [...valuesOf(grad)].filter((_, at) => isLeftOut(at));
    expect(left.length).toBeGreaterThan(ROWS);
    expect(left.every((value) => Object.is(value, 0))).toBe(true);
  });

  test('computes what is not masked as if it were alone', () => {
    const rows = [...sample.labels.keys()].filter((row) => row % 3 !== 0);
    const inRows = (values: Float32Array): Float32Array =>
      Float32Array.from(rows.flatMap((r) => [...values.slice(r * CLASSES, (r + 1) * CLASSES)]));
    const alone = {
      logits: inRows(sample.logits),
      labels: Int32Array.from(rows, (row) => sample.labels[row]!),
      quality: Float32Array.from(rows, (row) => sample.quality[row]!),
    };
    const whole = mask.map((_, at) => (Math.floor(at / CLASSES) % 3 === 0 ? 0 : 1));
    const masked = compute(one, sample, { mask: whole, normalizer: 'positives' });
    const expected = compute(one, alone, { normalizer: 'positives' });
    expectClose('loss', masked.output.loss, expected.output.loss, { relative: 1e-5 });
    expectClose('grad', inRows(valuesOf(masked.output.grad)), valuesOf(expected.output.grad), {
      relative: 1e-5,
      absolute: 1e-30,
    });
    expect(masked.output.positives).toBe(expected.output.positives);
  });

  test('does all that in an asynchronous call, whose arrays may change at once', async () => {
    const call = { rowWeight: rowWeight.slice(), mask: mask.slice(), classMask: classMask.slice() };
    const expected = compute(one, sample, call);
    const criterion = criterionOf(one, options);
    const given = { ...call, ...qualityCall(one, sample.quality) } as Call;
    const promise = criterion.forwardBackwardAsync(sample.logits, sample.labels, given);
    for (const array of Object.values(call)) array.fill(0);
    expectSameOutput(await promise, expected.output);
    if (isStateful(criterion)) expectSameState(stateOf(criterion), expected.state!);
  });
});

describe("the normalizer 'weights'", () => {
  const criterion = new FocalLoss({ numClasses: 2 });
  const logits = Float32Array.from([1, -1, 2, 0, -3, 1]);
  const loss = (labels: number[], call: Parameters<FocalLoss['forward']>[2]): number =>
    criterion.forward(logits, labels, call).loss;

  test('is the sum of the weights of rows with a class', () => {
    const rowWeight = [0.5, 2, 4];
    const sum = loss([1, 2, 0], { rowWeight });
    expect(loss([1, 2, 0], { rowWeight, normalizer: 'weights' })).toBeCloseTo(sum / 2.5, 12);
  });

  test('is 1 where no row has one', () => {
    const rowWeight = [0.5, 0, 4];
    const call = { rowWeight, normalizer: 'weights' } as const;
    expect(loss([0, 2, 0], call)).toBe(loss([0, 2, 0], { rowWeight }));
  });

  test("is 'positives' where rows have no weights", () => {
    const labels = [1, 2, 0];
    expect(loss(labels, { normalizer: 'weights' })).toBe(loss(labels, { normalizer: 'positives' }));
  });
});

describe("the reduction 'mean'", () => {
  test('divides by the elements that count', () => {
    const criterion = new FocalLoss({ numClasses: 3, reduction: 'mean' });
    const total = new FocalLoss({ numClasses: 3 });
    const logits = Float32Array.from([1, -1, 2, 0, -3, 1, 0.5, 0.25, -2]);
    const labels = [1, 2, -1];
    const mask = Uint8Array.from([1, 0, 1, 1, 1, 1, 0, 0, 1]);
    const classMask = Uint8Array.from([1, 1, 0]);
    const mean = criterion.forward(logits, labels, { mask, classMask }).loss;
    const sum = total.forward(logits, labels, { mask, classMask }).loss;
    expect(mean).toBeCloseTo(sum / 3, 12);
  });
});

describe('the objectness column', () => {
  const criterion = new EqualizationLossV2({ numClasses: 2, objectness: true });
  const logits = Float32Array.from([1, -1, 2, 0, -3, 1]);

  test('counts whatever the classes', () => {
    const call = { classMask: new Uint8Array(2) };
    const { grad } = criterion.forwardBackward(logits, [1, 0], call);
    expect([...grad].map((value) => value !== 0)).toEqual([false, false, true, false, false, true]);
  });

  test('may be masked itself', () => {
    const mask = Uint8Array.from([1, 1, 1, 1, 1, 0]);
    const { grad, positives } = criterion.forwardBackward(logits, [1, 0], { mask });
    expect(Object.is(grad[5], 0)).toBe(true);
    expect(positives).toBe(1);
  });
});

describe('the forms of weights and masks', () => {
  const criterion = new EqualizedFocalLoss({ numClasses: 2 });
  const level = { data: Float32Array.from([1, -1, 2, 0, -3, 1]), shape: [3, 2] };
  const labels = Int32Array.from([1, 0, 2]);
  const rowWeight = Float32Array.from([0.5, 2, 4]);
  const mask = Uint8Array.from([1, 1, 0, 1, 1, 1]);

  test('are those of labels and of the logits', () => {
    const expected = criterion.forward(level, labels, { rowWeight, mask });
    for (const form of [
      { rowWeight: [0.5, 2, 4], mask: { data: mask, shape: [3, 2] } },
      {
        rowWeight: { data: rowWeight, shape: [3] },
        mask: { data: mask, dims: [3, 2], type: 'u8' },
      },
    ]) {
      expectSameOutput(criterion.forward(level, labels, form), expected);
    }
  });

  test('come in a list for a list of logits', () => {
    const call = { rowWeight: [rowWeight, [1, 1, 1]], mask: [mask, mask.map(() => 1)] };
    const { loss } = criterion.forward([level, level], [labels, labels], call);
    const parts = [
      criterion.forward(level, labels, { rowWeight, mask }),
      criterion.forward(level, labels),
    ];
    expect(loss).toBeCloseTo(parts[0]!.loss + parts[1]!.loss, 10);
  });

  test('a mask of another order is refused', () => {
    expectRefused(
      () => criterion.forward(level, labels, { mask: { data: mask, shape: [2, 3] } }),
      'mask.shape',
    );
  });
});

describe('what is refused', () => {
  const criterion = new EqualizedFocalLoss({ numClasses: 2 });
  const logits = Float32Array.from([1, -1, 2, 0]);
  const labels = [1, 0];
  const forward = (call: object): unknown => criterion.forwardBackward(logits, labels, wrong(call));

  test.each([-1, NaN, Infinity, -Infinity, 1e39])('the weight %p', (weight) => {
    const grad = new Float32Array(4).fill(7);
    const refused = expectRefused(() => forward({ rowWeight: [1, weight], grad }), 'rowWeight[1]');
    expect(refused.expected).toBe('a finite number >= 0');
    expect([...grad]).toEqual([7, 7, 7, 7]);
    expect(criterion.statistics.steps).toBe(0);
  });

  test('a bad weight also of an ignored row, and of a level by its place', () => {
    const level = { data: logits, shape: [2, 2] };
    const call = { rowWeight: [[1, 1], Float32Array.from([-2, 1])] };
    const refused = expectRefused(
      () => criterion.forward([level, level], [labels, [-1, 0]], call),
      'rowWeight[1][0]',
    );
    expect(refused.received).toBe('-2');
  });

  test.each([
    [{ rowWeight: [1] }, 'rowWeight'],
    [{ rowWeight: new Float64Array(2) }, 'rowWeight'],
    [{ rowWeight: [1, '1'] }, 'rowWeight[1]'],
    [{ rowWeight: 2 }, 'rowWeight'],
    [{ mask: new Uint8Array(3) }, 'mask'],
    [{ mask: [1, 1, 1, 1] }, 'mask'],
    [{ mask: new Int8Array(4) }, 'mask'],
    [{ classMask: new Uint8Array(3) }, 'classMask'],
    [{ classMask: [1, 1] }, 'classMask'],
    [{ normalizer: 'weight' }, 'normalizer'],
    [{ normalizer: -1 }, 'normalizer'],
  ])('%p', (call, argument) => {
    expectRefused(() => forward(call), argument);
  });

  test('a gradient in the memory of a weight or a mask', () => {
    const { buffer } = logits.slice();
    const grad = new Float32Array(buffer);
    expectRefused(() => forward({ grad, rowWeight: new Float32Array(buffer, 0, 2) }), 'grad');
    expectRefused(() => forward({ grad, mask: new Uint8Array(buffer, 4, 4) }), 'grad');
    expectRefused(() => forward({ grad, classMask: new Uint8Array(buffer, 4, 2) }), 'grad');
  });

  test('weights and masks of gradients, which have them in them', () => {
    for (const name of ['rowWeight', 'mask', 'classMask']) {
      const call = { [name]: [1, 1] };
      expectRefused(() => criterion.collectGrad(logits, labels, wrong(call)), /.*/);
    }
  });

  test('arrays that a getter takes away', () => {
    const rowWeight = Float32Array.from([1, 1]);
    const call = {
      rowWeight,
      get grad(): Float32Array {
        structuredClone(rowWeight.buffer, { transfer: [rowWeight.buffer] });
        return new Float32Array(4);
      },
    };
    expectRefused(() => forward(call), 'rowWeight');
  });
});

describe('labels of segmentation', () => {
  const options255 = { numClasses: 3, background: 'none', ignoreIndex: 255 } as const;
  const criterion = new FocalLoss(options255);
  const logits = Float32Array.from({ length: 12 }, (_, i) => i / 4 - 1);
  const expected = criterion.forward(logits, Int32Array.from([2, 255, 0, 255]));

  test('are bytes of which 255 is ignored', () => {
    const output = criterion.forward(logits, Uint8Array.from([2, 255, 0, 255]));
    expectSameOutput(output, expected);
    expect(output.ignored).toBe(2);
  });

  test('or integers of 64 bits, alone and in a tensor', () => {
    const labels = BigInt64Array.from([2n, 255n, 0n, 255n]);
    expectSameOutput(criterion.forward(logits, labels), expected);
    const tensor = { data: labels, dims: [4], type: 'int64' };
    expectSameOutput(criterion.forward(logits, tensor), expected);
  });
});

test('a row of weight 0 needs no quality', () => {
  const criterion = new QualityFocalLoss({ numClasses: 1 });
  const logits = Float32Array.from([1, 2]);
  const call = { rowWeight: [0, 1], quality: [NaN, 0.5] };
  expect(criterion.forward(logits, [1, 1], call).ignored).toBe(1);
});

describe('weights at the ends of their range', () => {
  const logits = Float32Array.of(1, -1, 2, 3);

  test('a weight whose product with a class weight is infinite is refused by name', () => {
    const criterion = new FocalLoss({ numClasses: 2, classWeight: [100, 100] });
    const refused = /rowWeight\[1\]: expected a number whose product with the weights/;
    expect(() => criterion.forward(logits, [1, 0], { rowWeight: [1, 3e38] })).toThrow(refused);
  });

  test('a masked element has a gradient of 0, whatever the factor of the others is', () => {
    const criterion = new FocalLoss({ numClasses: 2 });
    const { grad } = criterion.forwardBackward(Float32Array.of(1, -1, NaN, 2), [1, 0], {
      ...{ rowWeight: [1e-36, 1e-3], normalizer: 'weights', lossScale: 65536 },
      mask: Uint8Array.of(1, 1, 0, 1),
    });
    expect(grad[2]).toBe(0);
  });

  test('a row whose own element is masked needs no quality', () => {
    const criterion = new QualityFocalLoss({ numClasses: 2 });
    const call = { quality: [NaN, 1], mask: Uint8Array.of(0, 1, 1, 1) };
    expect(criterion.forward(logits, [1, 2], call).positives).toBe(1);
  });
});
