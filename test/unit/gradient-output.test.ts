import { EqualizedFocalLoss, FocalLoss } from '../../lib';
import { expectClose, expectSame, ELEMENT } from '../reference/compare';
import {
  compareCall,
  compareFocalCall,
  equalizedPair,
  expectRefused,
  expectSameOutput,
  expectSameState,
  makeSample,
  stateOf,
} from '../reference/harness';
import { Random } from '../reference/random';

const { logits, labels } = makeSample(101, 27, 13);
const options = { numClasses: 13 };
const expected = new FocalLoss(options).forwardBackward(logits, labels);

describe('the gradient buffer', () => {
  test('of the caller is filled and returned', () => {
    const grad = new Float32Array(logits.length).fill(NaN);
    const output = new FocalLoss(options).forwardBackward(logits, labels, { grad });
    expect(output.grad).toBe(grad);
    expectSameOutput(output, expected);
  });

  test('may be used again and again', () => {
    const grad = new Float32Array(logits.length);
    const criterion = new FocalLoss(options);
    criterion.forwardBackward(
      logits.map((x) => -x),
      labels,
      { grad },
    );
    criterion.forwardBackward(logits, labels, { grad });
    expectSame('grad', grad, expected.grad);
  });

  test('has zeros in ignored rows, whatever was in it', () => {
    const grad = new Float32Array(26).fill(5);
    new FocalLoss(options).forwardBackward(new Float32Array(26), [-1, 0], { grad });
    expectSame('ignored row', grad.subarray(0, 13), new Float32Array(13));
    expect(grad.subarray(13).every((g) => g > 0)).toBe(true);
  });

  test.each(['sum', 'mean', 'none'] as const)(
    'may be the logits themselves with reduction %s',
    (reduction) => {
      const settings = { ...options, reduction };
      const apart = new EqualizedFocalLoss(settings);
      const inPlace = new EqualizedFocalLoss(settings);
      const both = logits.slice();
      const output = inPlace.forwardBackward(both, labels, { grad: both });
      expect(output.grad).toBe(both);
      expectSameOutput(output, apart.forwardBackward(logits, labels));
      expectSameState(stateOf(inPlace), stateOf(apart));
    },
  );

  test('may be another view of exactly the logits', () => {
    const both = logits.slice();
    const output = new FocalLoss(options).forwardBackward(both, labels, {
      grad: both.subarray(),
    });
    expectSameOutput(output, expected);
    expectSame('logits', both, expected.grad);
  });

  test('may be a host tensor', () => {
    const tensor = { data: logits, shape: [27, 13] };
    const grad = { data: new Float32Array(logits.length), shape: [27, 13] };
    const output = new FocalLoss(options).forwardBackward(tensor, labels, { grad });
    expect(output.grad).toBe(grad);
    expectSameOutput(output, expected);
  });

  test('may be the tensor of the logits', () => {
    const tensor = { data: logits.slice(), shape: [27, 13] };
    const output = new FocalLoss(options).forwardBackward(tensor, labels, { grad: tensor });
    expect(output.grad).toBe(tensor);
    expectSame('grad', tensor.data, expected.grad);
  });

  test.each([1, -1, 13, 350])('must not overlap the logits %d elements off', (shift) => {
    const around = new Float32Array(3 * logits.length);
    const input = around.subarray(logits.length, 2 * logits.length);
    input.set(logits);
    const from = logits.length + shift;
    const grad = around.subarray(from, from + logits.length);
    const criterion = new EqualizedFocalLoss(options);
    const kept = around.slice();
    expectRefused(() => criterion.forwardBackward(input, labels, { grad }), 'grad');
    expectSame('memory', around, kept);
    expect(criterion.statistics.steps).toBe(0);
  });

  test('must not lie over the labels', () => {
    const buffer = new ArrayBuffer(4 * logits.length);
    const grad = new Float32Array(buffer);
    const overlapping = new Int32Array(buffer, 0, 27);
    overlapping.set(labels);
    const criterion = new FocalLoss(options);
    expectRefused(() => criterion.forwardBackward(logits, overlapping, { grad }), 'grad');
    expectSame('labels', overlapping, labels);
  });

  test('must not be exactly the memory of the labels of a single class', () => {
    const single = Int32Array.from({ length: 200 }, (_, i) => i % 2);
    const grad = new Float32Array(single.buffer);
    const criterion = new FocalLoss({ numClasses: 1 });
    expectRefused(() => criterion.forwardBackward(new Float32Array(200), single, { grad }), 'grad');
    expect(single[199]).toBe(1);
  });
});

describe('gradOutput', () => {
  test.each([0.5, -3, 0, 1e-3, 1e6])('%d multiplies gradient and statistics', (gradOutput) => {
    compareFocalCall(options, { logits, labels }, { gradOutput });
    const pair = equalizedPair(options);
    const { loss } = compareCall(pair, { logits, labels }, { gradOutput });
    expectClose('loss', loss, expected.loss, ELEMENT);
  });

  test('and the loss scale are not in the loss', () => {
    const call = { gradOutput: 4, lossScale: 1024 };
    const output = new FocalLoss(options).forwardBackward(logits, labels, call);
    expectSame('loss', output.loss, expected.loss);
    expectClose(
      'grad',
      output.grad,
      expected.grad.map((g) => 4096 * g),
      ELEMENT,
    );
  });

  test.each([1, 1024, 65536, 2 ** -10, 3.3])('goes with loss scale %d', (lossScale) => {
    const pair = equalizedPair({ ...options, lossWeight: 0.7 });
    const call = { lossScale, gradOutput: -1.5, normalizer: 3 };
    expect(compareCall(pair, { logits, labels }, call).loss).toBeGreaterThan(0);
  });

  describe('per element', () => {
    const random = new Random(102);
    const gradOutput = Float32Array.from(logits, () => random.normal(0, 2));
    const settings = { ...options, reduction: 'none' } as const;

    test('multiplies each element of gradient and statistics', () => {
      compareFocalCall(settings, { logits, labels }, { gradOutput });
      const ratios = Array.from({ length: 13 }, (_, j) => j / 12);
      const pair = equalizedPair({ ...settings, lossWeight: 2 }, ratios);
      const call = { gradOutput, lossScale: 16 };
      expect(compareCall(pair, { logits, labels }, call).ignored).toBeGreaterThan(0);
    });

    test('switches elements off where it is 0', () => {
      const some = gradOutput.map((value, i) => (i % 3 === 0 ? 0 : value));
      const pair = equalizedPair(settings);
      compareCall(pair, { logits, labels }, { gradOutput: some });
      const { grad } = pair.criterion.forwardBackward(logits, labels, { gradOutput: some });
      expect(grad.every((g, i) => i % 3 !== 0 || g === 0)).toBe(true);
    });

    test('of one value everywhere is that value', () => {
      const call = { gradOutput: new Float32Array(logits.length).fill(-2) };
      const output = new FocalLoss(settings).forwardBackward(logits, labels, call);
      expectClose(
        'grad',
        output.grad,
        expected.grad.map((g) => -2 * g),
        ELEMENT,
      );
    });

    test('may be a host tensor', () => {
      const tensor = { data: gradOutput, shape: [27, 13] };
      const criterion = new FocalLoss(settings);
      expectSameOutput(
        criterion.forwardBackward(logits, labels, { gradOutput: tensor }),
        criterion.forwardBackward(logits, labels, { gradOutput }),
      );
    });

    test('is not changed, and may be the gradient buffer', () => {
      const criterion = new FocalLoss(settings);
      const kept = gradOutput.slice();
      const output = criterion.forwardBackward(logits, labels, { gradOutput });
      expectSame('gradOutput', gradOutput, kept);
      expectSame(
        'grad',
        criterion.forwardBackward(logits, labels, { gradOutput: kept, grad: kept }).grad,
        output.grad,
      );
    });

    test.each(['sum', 'mean'] as const)('is refused with reduction %s', (reduction) => {
      const criterion = new FocalLoss({ ...options, reduction });
      expectRefused(() => criterion.forwardBackward(logits, labels, { gradOutput }), 'gradOutput');
    });

    test('must be as long as the logits', () => {
      const criterion = new FocalLoss(settings);
      for (const wrongSize of [
        gradOutput.subarray(1),
        new Float32Array(27),
        gradOutput.slice(0, 0),
      ]) {
        expectRefused(
          () => criterion.forwardBackward(logits, labels, { gradOutput: wrongSize }),
          'gradOutput',
        );
      }
    });
  });
});
