import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EqualizationLossV2, EqualizedFocalLoss, EqualizedQualityFocalLoss } from '../../lib';
import type { EqualizedFocalLossOptions, LoadableState } from '../../lib';
import { expectClose } from '../reference/compare';
import { ReferenceCriterion } from '../reference/criterion';
import {
  expectRefused,
  expectSameState,
  expectStatistics,
  makeSample,
  stateOf,
  wrong,
} from '../reference/harness';

const classes = 5;
const sample = (step: number) => makeSample(511 + step, 40, classes);
const make = (options: Partial<EqualizedFocalLossOptions> = {}) =>
  new EqualizedFocalLoss({ numClasses: classes, ...options });
const train = (criterion: EqualizedFocalLoss, steps: number, from = 0): void => {
  for (let step = from; step < from + steps; step += 1) {
    const { logits, labels } = sample(step);
    criterion.forwardBackward(logits, labels);
  }
};

describe('halfLife', () => {
  test('halves the weight of a gradient after so many steps', () => {
    const criterion = make({ halfLife: 2 });
    const grads = Float32Array.of(8, 8, 8, 8, 8);
    criterion.collectGrad(grads, [1]);
    for (let step = 0; step < 2; step += 1)
      criterion.collectGrad(Float32Array.of(0, 1, 0, 0, 0), [2]);
    const { positive } = criterion.statistics;
    expectClose('positive', positive.subarray(0, 1), [4], { relative: 1e-15 });
    expectClose('positive', positive.subarray(1, 2), [1 + Math.SQRT1_2], { relative: 1e-15 });
  });

  test.each([0.25, 1, 10, 1e6])('of %d agrees with the reference', (halfLife) => {
    const criterion = make({ halfLife });
    const reference = new ReferenceCriterion({ numClasses: classes, halfLife }, 'equalizedFocal');
    for (let step = 0; step < 6; step += 1) {
      const { logits, labels } = sample(step);
      criterion.forwardBackward(logits, labels);
      reference.forwardBackward(logits, labels);
      expectStatistics(criterion.statistics, reference);
    }
  });

  test('decays once for all calls of a commit, and not at all without a step', () => {
    const criterion = make({ halfLife: 1 });
    criterion.collectGrad(Float32Array.of(8, 8, 8, 8, 8), [1]);
    const ignored = new Int32Array(1).fill(-1);
    criterion.collectGrad(Float32Array.of(8, 8, 8, 8, 8), ignored);
    criterion.commit();
    for (let call = 0; call < 3; call += 1) {
      criterion.collectGrad(Float32Array.of(0, 1, 0, 0, 0), [2], { collect: 'defer' });
    }
    expect(criterion.statistics.positive[0]).toBe(8);
    criterion.commit();
    expect([...criterion.statistics.positive]).toEqual([4, 3, 0, 0, 0]);
  });

  test('has no part in a merge', () => {
    const [one, other] = [make({ halfLife: 1 }), make({ halfLife: 1 })];
    train(one, 1);
    train(other, 1, 1);
    const expected = one.statistics.negative.map((sum, j) => sum + other.statistics.negative[j]!);
    one.mergeStatistics(other);
    expect(one.statistics.negative).toEqual(expected);
  });

  test('is none by default, to the last bit', () => {
    const [plain, endless] = [make(), make({ halfLife: undefined })];
    expect(plain.options.halfLife).toBeUndefined();
    train(plain, 3);
    train(endless, 3);
    expectSameState(stateOf(endless), stateOf(plain));
  });

  test.each([0, -1, NaN, Infinity, '3'])('is refused where it is %p', (halfLife) => {
    const error = expectRefused(() => make({ halfLife: wrong(halfLife) }), 'halfLife');
    expect(error.expected).toBe('a finite number > 0');
  });
});

describe('startAfter', () => {
  test.each([
    [EqualizedFocalLoss, 1],
    [EqualizedQualityFocalLoss, 1],
    [EqualizationLossV2, 100],
  ])('keeps the ratio of %p at %d for so many steps, which are collected', (Loss, initial) => {
    const late = new Loss({ numClasses: classes, startAfter: 2 });
    const plain = new Loss({ numClasses: classes });
    const gradient = (step: number) => Float32Array.of(step, 1, 2, 3, 4);
    for (let step = 1; step <= 3; step += 1) {
      expect(late.gradientRatio).toEqual(new Float64Array(classes).fill(initial));
      late.collectGrad(gradient(step), [1]);
      plain.collectGrad(gradient(step), [1]);
      expect(late.statistics).toEqual(plain.statistics);
    }
    expect(late.gradientRatio).toEqual(plain.gradientRatio);
  });

  test('counts a commit as one step', () => {
    const criterion = make({ startAfter: 1 });
    const defer = { collect: 'defer' } as const;
    for (let step = 1; step <= 2; step += 1) {
      for (let call = 0; call < 3; call += 1) {
        const { logits, labels } = sample(call);
        criterion.forwardBackward(logits, labels, defer);
      }
      expect(criterion.gradientRatio).toEqual(new Float64Array(classes).fill(1));
      criterion.commit();
    }
    expect(criterion.gradientRatio).not.toEqual(new Float64Array(classes).fill(1));
  });

  test('goes on from the steps of a state that is loaded', () => {
    const [whole, first, second] = [0, 1, 2].map(() => make({ startAfter: 3, halfLife: 7 }));
    train(whole!, 5);
    train(first!, 2);
    second!.loadStateDict(first!.stateDict());
    train(second!, 3, 2);
    expectSameState(stateOf(second!), stateOf(whole!));
  });

  test('counts the steps of a merge', () => {
    const [one, other] = [make({ startAfter: 2 }), make()];
    train(one, 1);
    train(other, 2);
    one.mergeStatistics({ ...other.statistics, steps: 1 });
    expect(one.gradientRatio).toEqual(new Float64Array(classes).fill(1));
    one.mergeStatistics({ ...other.statistics, steps: 1 });
    expect(one.gradientRatio).not.toEqual(new Float64Array(classes).fill(1));
  });

  test.each([-1, 0.5, NaN, Infinity, 2 ** 31, '3'])('is refused where it is %p', (startAfter) => {
    const error = expectRefused(() => make({ startAfter: wrong(startAfter) }), 'startAfter');
    expect(error.expected).toBe('an integer from 0 to 2147483647');
  });
});

describe('a checkpoint', () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'efl-forgetting-')), 'state.safetensors');

  test('carries the settings, and the state goes on from it to the last bit', () => {
    const options = { halfLife: 3.25, startAfter: 2 };
    const [whole, half, resumed] = [make(options), make(options), make(options)];
    train(whole, 4);
    train(half, 2);
    half.saveState(file);
    resumed.loadState(file);
    train(resumed, 2, 2);
    expectSameState(stateOf(resumed), stateOf(whole));
    expect(half.stateDict()).toMatchObject({ half_life: 3.25, start_after: 2, steps: 2 });
    expect(make().stateDict()).toMatchObject({ half_life: 0, start_after: 0 });
  });

  test.each([
    [{ halfLife: 4 }, {}, 'halfLife: 4, not 0', 'half_life'],
    [{}, { halfLife: 4 }, 'halfLife: 0, not 4', 'half_life'],
    [{ startAfter: 1 }, { startAfter: 2 }, 'startAfter: 1, not 2', 'start_after'],
  ])('of %p is refused by a criterion of %p', (saved, loading, problem, name) => {
    const [source, target] = [make(saved), make(loading)];
    train(source, 2);
    train(target, 1, 7);
    const before = stateOf(target);
    source.saveState(file);
    const ofFile = expectRefused(() => {
      target.loadState(file);
    }, 'path');
    expect(ofFile.received).toBe(`the state of another ${problem}`);
    const state = source.stateDict();
    const ofDict = expectRefused(() => {
      target.loadStateDict(state);
    }, `state.${name}`);
    expect(problem).toBe(
      `${problem.split(':')[0]}: ${ofDict.received}, not ${ofDict.expected.split(',')[0]}`,
    );
    expectSameState(stateOf(target), before);
  });

  test('without the settings loads into any criterion', () => {
    const source = make();
    train(source, 2);
    const { pos_grad, neg_grad, pos_neg, steps } = source.stateDict();
    const target = make({ halfLife: 4, startAfter: 1 });
    target.loadStateDict({ pos_grad, neg_grad, pos_neg, steps });
    expectSameState(stateOf(target), stateOf(source));
  });

  test.each([
    ['half_life', -1],
    ['half_life', NaN],
    ['half_life', '2'],
    ['start_after', 0.5],
    ['start_after', -1],
  ])('is refused where %s is %p', (name, value) => {
    const state = { ...make().stateDict(), [name]: value } as LoadableState;
    expectRefused(() => {
      make().loadStateDict(state);
    }, `state.${name}`);
  });
});
