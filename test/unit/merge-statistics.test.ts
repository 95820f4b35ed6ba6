import { EflArgumentError, EqualizationLossV2, EqualizedFocalLoss } from '../../lib';
import { expectRefused } from '../reference/harness';

const numClasses = 3;

function trained(seed: number): EqualizedFocalLoss {
  const criterion = new EqualizedFocalLoss({ numClasses });
  const logits = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i * seed) * 3);
  criterion.forwardBackward(logits, [1, 0, 3, 2]);
  return criterion;
}

describe('mergeStatistics', () => {
  test('adds sums and steps of the other criterion and updates g', () => {
    const one = trained(1);
    const other = trained(2);
    const before = one.statistics;
    one.mergeStatistics(other);
    const { positive, negative, steps } = one.statistics;
    expect(steps).toBe(2);
    for (let j = 0; j < numClasses; j++) {
      expect(positive[j]).toBe(before.positive[j]! + other.statistics.positive[j]!);
      expect(negative[j]).toBe(before.negative[j]! + other.statistics.negative[j]!);
      const ratio = positive[j]! / (negative[j]! + 1e-10);
      expect(one.gradientRatio[j]).toBe(Math.min(1, ratio));
    }
  });

  test('leaves the other criterion as it is', () => {
    const other = trained(2);
    const before = other.statistics;
    trained(1).mergeStatistics(other);
    expect(other.statistics).toEqual(before);
  });

  test('takes statistics that came from another thread as plain arrays', () => {
    const one = trained(1);
    const other = trained(2);
    const copy = structuredClone(other.statistics);
    const direct = trained(1);
    direct.mergeStatistics(other);
    one.mergeStatistics(copy);
    expect(one.statistics).toEqual(direct.statistics);
  });

  test('may be given the criterion itself, which doubles its sums', () => {
    const one = trained(1);
    const { positive } = one.statistics;
    one.mergeStatistics(one);
    expect(one.statistics.positive).toEqual(positive.map((sum) => 2 * sum));
  });

  test('leaves a balance alone that nothing has been seen of', () => {
    const one = new EqualizedFocalLoss({ numClasses });
    const other = new EqualizedFocalLoss({ numClasses });
    other.forwardBackward(new Float32Array(3), [-1]); // no row that counts
    one.mergeStatistics(other);
    expect([...one.gradientRatio]).toEqual([1, 1, 1]);
    expect(one.statistics.steps).toBe(0);
  });

  test('waits for the asynchronous calls of both', async () => {
    const one = trained(1);
    const other = trained(2);
    const logits = new Float32Array(3);
    const calls = [one.forwardBackwardAsync(logits, [1]), other.forwardBackwardAsync(logits, [2])];
    one.mergeStatistics(other);
    expect(one.statistics.steps).toBe(4);
    await Promise.all(calls);
  });

  test('and calls stop counting at 2^53 - 1 steps, and the state still loads', () => {
    const one = trained(1);
    const most = Number.MAX_SAFE_INTEGER;
    one.loadStateDict({ ...one.stateDict(), steps: most - 1 });
    for (let call = 0; call < 2; call++) {
      one.forwardBackward(Float32Array.of(1, 2, 3), [1]);
      expect(one.statistics.steps).toBe(most);
    }
    one.mergeStatistics(trained(2));
    one.mergeStatistics({ ...trained(2).statistics, steps: most });
    expect(one.statistics.steps).toBe(most);
    trained(1).loadStateDict(one.stateDict());
  });

  test('never makes a ratio of Equalization Loss v2 that does not load', () => {
    const one = new EqualizationLossV2({ numClasses });
    const positive = new Float64Array(numClasses).fill(1e300);
    one.mergeStatistics({ positive, negative: new Float64Array(numClasses), steps: 1 });
    expect([...one.gradientRatio]).toEqual(Array(numClasses).fill(Number.MAX_VALUE));
    new EqualizationLossV2({ numClasses }).loadStateDict(one.stateDict());
  });

  test('takes no statistics of another loss', () => {
    const merge = (): void => {
      trained(1).mergeStatistics(new EqualizationLossV2({ numClasses }));
    };
    const { expected } = expectRefused(merge, 'other');
    expect(expected).toBe('an EqualizedFocalLoss or its statistics');
  });

  test.each([
    ['nothing', undefined, 'other'],
    ['what only has the prototype', Object.create(EqualizedFocalLoss.prototype), 'other.positive'],
    [
      'an array that lies about its length',
      {
        positive: Object.defineProperty(new Float64Array(2), 'length', { value: 3 }),
        negative: [0, 0, 0],
        steps: 1,
      },
      'other.positive',
    ],
    ['another number of classes', { positive: [1], negative: [1], steps: 1 }, 'other.positive'],
    ['negative sums', { positive: [0, 0, -1], negative: [0, 0, 0], steps: 1 }, 'other.positive[2]'],
    ['NaN', { positive: [0, 0, 0], negative: [NaN, 0, 0], steps: 1 }, 'other.negative[0]'],
    [
      'sums too large',
      { positive: [0, 1.7e308, 0], negative: [0, 0, 0], steps: 1 },
      'other.positive[1]',
    ],
    ['too many steps', { positive: [0, 0, 0], negative: [0, 0, 0], steps: 2 ** 53 }, 'other.steps'],
    ['half a step', { positive: [0, 0, 0], negative: [0, 0, 0], steps: 0.5 }, 'other.steps'],
  ])('refuses %s and changes nothing', (_, other, argument) => {
    const one = trained(1);
    one.mergeStatistics({
      positive: Float64Array.of(0, 1.7e308, 0),
      negative: new Float64Array(3),
      steps: 0,
    });
    const before = one.statistics;
    const merge = (): void => {
      one.mergeStatistics(other as never);
    };
    expect(merge).toThrow(EflArgumentError);
    expect(merge).toThrow(expect.objectContaining({ argument }) as Error);
    expect(one.statistics).toEqual(before);
  });
});
