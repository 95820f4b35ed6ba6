import { EqualizedFocalLoss } from '../../lib';
import { expectClose, expectSame } from '../reference/compare';
import {
  criterionOf,
  FAMILY,
  familySample,
  isStateful,
  qualityCall,
  STATEFUL,
} from '../reference/family';
import type { Member, StatefulCriterion } from '../reference/family';
import { countsOf, makeSample, stateOf, valuesOf } from '../reference/harness';
import { ARRANGEMENTS, cutByLevel, rowCount } from '../reference/layout';
import type { Arrangement } from '../reference/layout';
import {
  arrangementCall,
  mapsOf,
  PYRAMID,
  rowsOfMaps,
  rowsOfTensor,
  tensorOf,
  totalRows,
} from '../reference/maps';
import { Random } from '../reference/random';

const numClasses = 19;
const SUMS = { relative: 1e-6, absolute: 1e-35 };

/** Everything a criterion is after a call: nothing for one without state. */
function expectCloseState(one: ReturnType<Member['create']>, other: typeof one): void {
  if (isStateful(one) && isStateful(other)) {
    const [actual, expected] = [stateOf(one), stateOf(other)];
    expect(actual.steps).toBe(expected.steps);
    expectClose('positive sums', actual.positive, expected.positive, SUMS);
    expectClose('negative sums', actual.negative, expected.negative, SUMS);
  }
}

describe.each(FAMILY)('$name', (one) => {
  const size = { images: 2, height: 5, width: 9 };

  test.each(ARRANGEMENTS)('gives in %j what it gives for rows', (arrangement) => {
    const level = { ...size, ...arrangement, columns: numClasses };
    const rows = rowCount(size, arrangement.anchors);
    const { logits, labels, quality } = familySample(311, rows, numClasses);
    const options = { numClasses, reduction: 'none' } as const;
    const random = new Random(312);
    const factors = Float32Array.from(logits, () => random.normal());

    const plain = criterionOf(one, options);
    const call = { lossScale: 8, ...qualityCall(one, quality) };
    const expected = plain.forwardBackward(logits, labels, { ...call, gradOutput: factors });
    const mapped = criterionOf(one, options);
    const output = mapped.forwardBackward(tensorOf(logits, level), labels, {
      ...call,
      ...arrangementCall(arrangement),
      gradOutput: tensorOf(factors, level),
    });
    expectSame('grad', rowsOfTensor(output.grad, level), expected.grad);
    expectSame('elements', rowsOfTensor(output.elements!, level), expected.elements!);
    expectClose('loss', output.loss, expected.loss, { relative: 1e-6 });
    expect(countsOf(output)).toEqual(countsOf(expected));
    expectCloseState(mapped, plain);
  });

  test.each(ARRANGEMENTS)('makes of levels in %j one call', (arrangement) => {
    const { anchors } = arrangement;
    const rows = totalRows(PYRAMID, anchors);
    const { logits, labels, quality } = familySample(313, rows, numClasses);
    const maps = mapsOf(logits, PYRAMID, numClasses, arrangement);

    const plain = criterionOf(one, { numClasses });
    const call = { normalizer: 'positives' } as const;
    const expected = plain.forwardBackward(logits, labels, {
      ...call,
      ...qualityCall(one, quality),
    });
    const mapped = criterionOf(one, { numClasses });
    const output = mapped.forwardBackward(maps.tensors, cutByLevel(labels, PYRAMID, anchors), {
      ...call,
      ...arrangementCall(arrangement),
      ...qualityCall(one, cutByLevel(quality, PYRAMID, anchors)),
    });
    expectSame('grad', rowsOfMaps(output.grad, maps), expected.grad);
    expectClose('loss', output.loss, expected.loss, { relative: 1e-6 });
    expect(countsOf(output)).toEqual(countsOf(expected));
    expectCloseState(mapped, plain);
  });
});

describe('a map of many positions', () => {
  test.each(ARRANGEMENTS.slice(-4))('gives in %j what rows give', (arrangement) => {
    const level = { images: 1, height: 100, width: 167, ...arrangement, columns: 7 };
    const { logits, labels } = makeSample(314, rowCount(level, arrangement.anchors), 7);
    const plain = new EqualizedFocalLoss({ numClasses: 7 });
    const mapped = new EqualizedFocalLoss({ numClasses: 7 });
    const expected = plain.forwardBackward(logits, labels);
    const call = arrangementCall(arrangement);
    const output = mapped.forwardBackward(tensorOf(logits, level), labels, call);
    expectSame('grad', rowsOfTensor(output.grad, level), expected.grad);
    expectClose('loss', output.loss, expected.loss, { relative: 1e-6 });
    expectCloseState(mapped, plain);
  });
});

describe('a list of levels', () => {
  const arrangement: Arrangement = { layout: 'NCHW', anchors: 2, channelOrder: 'class-major' };
  const call = arrangementCall(arrangement);
  const rows = totalRows(PYRAMID, arrangement.anchors);
  const { logits, labels } = makeSample(315, rows, numClasses);
  const maps = mapsOf(logits, PYRAMID, numClasses, arrangement);
  const labelLists = cutByLevel(labels, PYRAMID, arrangement.anchors);
  const fresh = () => new EqualizedFocalLoss({ numClasses });

  test('may be of rows', () => {
    const tensors = cutByLevel(logits, PYRAMID, 2, numClasses).map((data) => ({
      data,
      shape: [data.length / numClasses, numClasses],
    }));
    const expected = fresh().forwardBackward(logits, labels);
    const output = fresh().forwardBackward(tensors, labelLists);
    expectSame('grad', valuesOf(output.grad), expected.grad);
    expect(output.grad.map(({ shape }) => shape)).toEqual(tensors.map(({ shape }) => shape));
    expectClose('loss', output.loss, expected.loss, { relative: 1e-6 });
  });

  test.each([
    ['begin', [0, 0, 40]],
    ['go on', [25, 0, 15]],
    ['end', [40, 0, 0]],
    ['begin, go on and end', [0, 11, 0, 29, 0]],
  ])('may %s with an empty level', (_, counts) => {
    const sizes = counts.map((width) => ({ images: 1, height: 1, width }));
    const sample = makeSample(317, 40, numClasses);
    const plain = fresh();
    const expected = plain.forwardBackward(sample.logits, sample.labels);
    const rowMaps = mapsOf(sample.logits, sizes, numClasses, { ...arrangement, anchors: 1 });
    const leveled = fresh();
    const output = leveled.forwardBackward(rowMaps.tensors, cutByLevel(sample.labels, sizes, 1), {
      layout: 'NCHW',
    });
    expectSame('grad', rowsOfMaps(output.grad, rowMaps), expected.grad);
    expectClose('loss', output.loss, expected.loss, { relative: 1e-6 });
    expectCloseState(leveled, plain);
  });

  test('may be in any order', () => {
    const order = [2, 0, 3, 1];
    const first = fresh();
    const second = fresh();
    const expected = first.forwardBackward(maps.tensors, labelLists, call);
    const output = second.forwardBackward(
      order.map((i) => maps.tensors[i]!),
      order.map((i) => labelLists[i]!),
      call,
    );
    expect(output.grad).toEqual(order.map((i) => expected.grad[i]));
    expectClose('loss', output.loss, expected.loss, { relative: 1e-6 });
    expectCloseState(second, first);
  });

  test('has gradients in tensors of another shape, too', () => {
    const grad = maps.tensors.map(({ data }) => ({
      data: new Float32Array(data.length),
      shape: [data.length],
    }));
    const expected = fresh().forwardBackward(maps.tensors, labelLists, call);
    const output = fresh().forwardBackward(maps.tensors, labelLists, { ...call, grad });
    expect(output.grad).toBe(grad);
    expectSame('grad', valuesOf(grad), valuesOf(expected.grad));
  });

  test('is one step of the state', () => {
    const criterion = fresh();
    criterion.forwardBackward(maps.tensors, labelLists, call);
    expect(criterion.statistics.steps).toBe(1);
  });

  test('of which no row counts is none', () => {
    const criterion = fresh();
    const ignored = labelLists.map((list) => list.map(() => -1));
    expect(criterion.forwardBackward(maps.tensors, ignored, call).ignored).toBe(rows);
    expect(criterion.statistics.steps).toBe(0);
  });
});

describe('collectGrad', () => {
  const { anchors } = ARRANGEMENTS[1]!;
  const { logits, labels, quality } = familySample(316, totalRows(PYRAMID, anchors), numClasses);
  const labelLists = cutByLevel(labels, PYRAMID, anchors);

  describe.each(STATEFUL)('of $name', (one) => {
    const create = (): StatefulCriterion =>
      criterionOf(one, { numClasses, lossWeight: 3 }) as StatefulCriterion;

    test.each(ARRANGEMENTS.filter((arrangement) => arrangement.anchors === anchors))(
      'takes from levels in %j, in any order, what the pass itself takes',
      (arrangement) => {
        const maps = mapsOf(logits, PYRAMID, numClasses, arrangement);
        const call = arrangementCall(arrangement);
        const fused = create();
        // One of quality 0 may be a negative, which gradients do not tell.
        const matches = quality.map((value) => value || 0.5);
        const { grad } = fused.forwardBackward(maps.tensors, labelLists, {
          ...call,
          ...qualityCall(one, cutByLevel(matches, PYRAMID, anchors)),
          normalizer: 7,
          lossScale: 1024,
        });
        for (const order of [
          [0, 1, 2, 3],
          [3, 2, 1, 0],
        ]) {
          const separate = create();
          separate.collectGrad(
            order.map((i) => grad[i]!),
            order.map((i) => labelLists[i]!),
            { ...call, lossScale: 1024 },
          );
          expectCloseState(separate, fused);
        }
      },
    );
  });
});
