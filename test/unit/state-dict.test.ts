import { EqualizedFocalLoss } from '../../lib';
import { expectClose, expectSame } from '../reference/compare';
import {
  expectRefused,
  expectSameOutput,
  expectSameState,
  makeSample,
  ratioState,
  stateOf,
  wrong,
} from '../reference/harness';
import type { StateDict } from '../reference/harness';

const sample = makeSample(121, 40, 4);

function trained(steps = 3): EqualizedFocalLoss {
  const criterion = new EqualizedFocalLoss({ numClasses: 4 });
  for (let step = 0; step < steps; step += 1) {
    const { logits, labels } = makeSample(121 + step, 40, 4);
    criterion.forwardBackward(logits, labels);
  }
  return criterion;
}

describe('stateDict', () => {
  test('has the three arrays under their names in PyTorch checkpoints, and the steps', () => {
    const criterion = trained();
    const dict = criterion.stateDict();
    const settings = ['half_life', 'start_after'];
    const names = ['neg_grad', 'pos_grad', 'pos_neg', 'steps', ...settings];
    expect(Object.keys(dict).sort()).toEqual(names.sort());
    expect(dict.steps).toBe(3);
    expectSame('pos_grad', dict.pos_grad, criterion.statistics.positive);
    expectSame('neg_grad', dict.neg_grad, criterion.statistics.negative);
    expectSame('pos_neg', dict.pos_neg, criterion.gradientRatio);
  });

  test('of a new criterion has sums 0 and ratios 1', () => {
    const dict = new EqualizedFocalLoss({ numClasses: 4 }).stateDict();
    expectSame('pos_grad', dict.pos_grad, [0, 0, 0, 0]);
    expectSame('neg_grad', dict.neg_grad, [0, 0, 0, 0]);
    expectSame('pos_neg', dict.pos_neg, [1, 1, 1, 1]);
  });

  test('is a copy that later calls do not change', () => {
    const criterion = trained();
    const dict = criterion.stateDict();
    const kept = dict.pos_grad.slice();
    criterion.forwardBackward(sample.logits, sample.labels);
    expectSame('pos_grad', dict.pos_grad, kept);
  });
});

describe('loadStateDict', () => {
  test('makes a criterion go on exactly as the one the state is from', () => {
    const source = trained();
    const target = new EqualizedFocalLoss({ numClasses: 4 });
    target.loadStateDict(source.stateDict());
    for (let step = 0; step < 3; step += 1) {
      const { logits, labels } = makeSample(130 + step, 25, 4);
      expectSameOutput(
        target.forwardBackward(logits, labels),
        source.forwardBackward(logits, labels),
      );
    }
    expect(target.statistics.steps).toBe(6);
    expectSameState(stateOf(target), stateOf(source));
  });

  test('replaces the state that was there', () => {
    const target = trained();
    target.loadStateDict(ratioState([0, 0.25, 0.5, 1]));
    expectSame('positive', target.statistics.positive, [0, 0.25, 0.5, 1]);
    expectSame('negative', target.statistics.negative, [1, 1, 1, 1]);
    expectClose('ratio', target.gradientRatio, [0, 0.25, 0.5, 1], { relative: 1e-9 });
  });

  test('sets the steps to those of the state, 0 where it has none', () => {
    const target = trained();
    target.loadStateDict(ratioState([0, 0, 0, 0]));
    expect(target.statistics.steps).toBe(0);
    target.loadStateDict({ ...ratioState([0, 0, 0, 0]), steps: 1234 });
    expect(target.statistics.steps).toBe(1234);
  });

  test('takes float32 arrays and plain arrays', () => {
    const target = new EqualizedFocalLoss({ numClasses: 4 });
    target.loadStateDict({
      pos_grad: Float32Array.of(1, 2, 3, 4),
      neg_grad: [2, 4, 6, 8],
      pos_neg: [0.5, 0.5, 0.5, 0.5],
    });
    expectSame('positive', target.statistics.positive, [1, 2, 3, 4]);
    expectSame('negative', target.statistics.negative, [2, 4, 6, 8]);
    expectClose('ratio', target.gradientRatio, [0.5, 0.5, 0.5, 0.5], { relative: 1e-9 });
  });

  test('copies: arrays that change afterwards do not change the state', () => {
    const target = new EqualizedFocalLoss({ numClasses: 4 });
    const state = ratioState([0, 0.25, 0.5, 1]);
    target.loadStateDict(state);
    const before = stateOf(target);
    state.pos_grad.fill(9);
    state.neg_grad.fill(9);
    state.pos_neg.fill(0.125);
    expectSameState(stateOf(target), before);
  });

  test('keeps values to the last bit, large and small', () => {
    const target = new EqualizedFocalLoss({ numClasses: 4 });
    const values = Float64Array.of(5e-324, 1 / 3, 1e300, 0);
    target.loadStateDict({ pos_grad: values, neg_grad: values, pos_neg: [0, 1, 1, 0] });
    expectSame('pos_grad', target.stateDict().pos_grad, values);
    expectSame('neg_grad', target.stateDict().neg_grad, values);
  });

  test('brings a fresh state back', () => {
    const target = trained();
    target.loadStateDict(new EqualizedFocalLoss({ numClasses: 4 }).stateDict());
    expectSameState(stateOf(target), stateOf(new EqualizedFocalLoss({ numClasses: 4 })));
  });

  test('finds the arrays of a model by a prefix, steps where there are some', () => {
    const source = trained();
    const { steps, ...arrays } = source.stateDict();
    const model: Record<string, unknown> = { 'head.bias': new Float32Array(4) };
    for (const [name, values] of Object.entries(arrays)) model[`head.loss.${name}`] = values;
    const target = new EqualizedFocalLoss({ numClasses: 4 });
    target.loadStateDict(model, { prefix: 'head.loss.' });
    expectSameState({ ...stateOf(target), steps }, stateOf(source));
    expect(target.statistics.steps).toBe(0);
    target.loadStateDict({ ...model, 'head.loss.steps': steps }, { prefix: 'head.loss.' });
    expectSameState(stateOf(target), stateOf(source));
  });

  test('says which arrays a model has where none of the right name is there', () => {
    const { pos_grad, neg_grad, pos_neg } = ratioState([0, 0.25, 0.5, 1]);
    const model = { 'a.pos_grad': pos_grad, 'a.neg_grad': neg_grad, 'a.pos_neg': pos_neg, b: 1 };
    const { received } = expectRefused(() => {
      trained().loadStateDict(wrong(model));
    }, 'state.pos_grad');
    const listed = 'a.pos_grad, a.neg_grad, a.pos_neg';
    expect(received).toBe(
      `undefined; there is ${listed}: give the option prefix, 'a.' for example`,
    );
    expectRefused(() => {
      trained().loadStateDict({ ...model, 'a.neg_grad': [1] }, { prefix: 'a.' });
    }, 'state.a.neg_grad');
  });

  const valid = ratioState([0, 0.25, 0.5, 1]);
  const replaced = (name: keyof StateDict, values: unknown): unknown => ({
    ...valid,
    [name]: values,
  });

  test('counts the values of an array itself, whatever it says of its length', () => {
    const target = trained();
    const before = stateOf(target);
    for (const array of [new Float64Array(2), new Float32Array(5)]) {
      const lying = Object.defineProperty(array, 'length', { value: 4 });
      const error = expectRefused(() => {
        target.loadStateDict(wrong(replaced('pos_grad', lying)));
      }, 'state.pos_grad');
      expect(error.received).toMatch(/of [25] values$/);
    }
    expectSameState(stateOf(target), before);
  });

  test('reads an array by its places, whatever it iterates over', () => {
    const endless = Object.defineProperty([1, 2, 3, 4], Symbol.iterator, {
      *value() {
        for (;;) yield 1;
      },
    });
    const target = trained();
    target.loadStateDict(wrong(replaced('pos_grad', endless)));
    expectSame('positive', target.statistics.positive, [1, 2, 3, 4]);
  });

  test.each<[string, unknown, RegExp]>([
    ['null', null, /^state/],
    ['a number', 3, /^state/],
    ['an empty object', {}, /^state\.pos_grad/],
    ['no neg_grad', replaced('neg_grad', undefined), /^state\.neg_grad/],
    ['too few sums', replaced('pos_grad', new Float64Array(3)), /^state\.pos_grad/],
    ['too many sums', replaced('neg_grad', new Float64Array(5)), /^state\.neg_grad/],
    ['too few ratios', replaced('pos_neg', [1, 1, 1]), /^state\.pos_neg/],
    ['a negative sum', replaced('pos_grad', [1, -1e-9, 1, 1]), /^state\.pos_grad/],
    ['a sum of NaN', replaced('neg_grad', [1, 1, NaN, 1]), /^state\.neg_grad/],
    ['an infinite sum', replaced('neg_grad', [1, 1, 1, Infinity]), /^state\.neg_grad/],
    ['a ratio above 1', replaced('pos_neg', [1, 1, 1, 1.0001]), /^state\.pos_neg/],
    ['a ratio below 0', replaced('pos_neg', [-0.5, 1, 1, 1]), /^state\.pos_neg/],
    ['a ratio of NaN', replaced('pos_neg', [NaN, 1, 1, 1]), /^state\.pos_neg/],
    ['a text among the sums', replaced('pos_grad', ['1', 1, 1, 1]), /^state\.pos_grad/],
    ['a hole among the sums', replaced('pos_grad', new Array<number>(4)), /^state\.pos_grad/],
    ['integers of another type', replaced('pos_grad', new Int32Array(4)), /^state\.pos_grad/],
    ['negative steps', { ...valid, steps: -1 }, /^state\.steps|^steps/],
    ['broken steps', { ...valid, steps: 0.5 }, /^state\.steps|^steps/],
    ['steps beyond 2^53 - 1', { ...valid, steps: 2 ** 53 }, /^state\.steps$/],
  ])('refuses %s and leaves the state untouched', (_, state, argument) => {
    const target = trained();
    const before = stateOf(target);
    expectRefused(() => {
      target.loadStateDict(wrong(state));
    }, argument);
    expectSameState(stateOf(target), before);
  });
});
