import { FocalLoss } from '../../lib';
import { expectClose, expectSame, ELEMENT } from '../reference/compare';
import {
  compareCall,
  compareFocalCall,
  equalizedPair,
  expectSameOutput,
  makeSample,
} from '../reference/harness';
import { Random } from '../reference/random';

const { logits, labels } = makeSample(101, 27, 13);
const options = { numClasses: 13 };
const expected = new FocalLoss(options).forwardBackward(logits, labels);

describe('the gradient buffer', () => {
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

  test('may be another view of exactly the logits', () => {
    const both = logits.slice();
    const output = new FocalLoss(options).forwardBackward(both, labels, {
      grad: both.subarray(),
    });
    expectSameOutput(output, expected);
    expectSame('logits', both, expected.grad);
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
  });
});
