import {
  EqualizationLossV2,
  EqualizedFocalLoss,
  EqualizedQualityFocalLoss,
  type Finding,
  type LoadableState,
} from '../../lib';
import { expectClose } from '../reference/compare';
import { expectRefused, wrong } from '../reference/harness';

const numClasses = 3;

/** A state with these sums, and the ratios that follow from them. */
function stateOf(pos_grad: number[], neg_grad: number[], clamp = 1): LoadableState {
  const pos_neg = pos_grad.map((sum, j) => Math.min(clamp, sum / (neg_grad[j]! + 1e-10)));
  return { pos_grad, neg_grad, pos_neg, steps: 7 };
}

function focalWith(positive: number[], negative: number[]): EqualizedFocalLoss {
  const criterion = new EqualizedFocalLoss({ numClasses });
  criterion.loadStateDict(stateOf(positive, negative));
  return criterion;
}

const kindsOf = (findings: readonly Finding[]): string[] => findings.map(({ kind }) => kind);
const only = (findings: readonly Finding[], kind: string): Finding => {
  const [first, ...rest] = findings.filter((finding) => finding.kind === kind);
  expect([kind, rest.length]).toEqual([kind, 0]);
  return first!;
};

test.each([
  ['a new criterion', () => undefined],
  ['forward alone', (c) => void c.forward(Float32Array.of(1, 2, 3), [1])],
  [
    'calls with collect: false',
    (c) => void c.forwardBackward(Float32Array.of(1, 2, 3), [1], { collect: false }),
  ],
  [
    'calls of weight 0',
    (c) => void c.forwardBackward(Float32Array.of(1, 2, 3), [1], { gradOutput: 0 }),
  ],
  ['calls whose rows are ignored', (c) => void c.forwardBackward(Float32Array.of(1, 2, 3), [-1])],
] as [string, (criterion: EqualizedFocalLoss) => void][])(
  'after %s it says that nothing is collected yet, and the usual reasons',
  (_, use) => {
    const criterion = new EqualizedFocalLoss({ numClasses });
    use(criterion);
    const findings = criterion.diagnose();
    expect(findings).toMatchObject([{ kind: 'nothing-collected', value: 0 }]);
    for (const reason of ['forward', 'collect: false', 'commit()', 'lossWeight', 'ignored']) {
      expect(findings[0]!.advice).toContain(reason);
    }
  },
);

test('where positives outweigh negatives in every class the loss is asleep', () => {
  const findings = focalWith([5, 4, 0.96], [1, 2, 1]).diagnose();
  expect(kindsOf(findings)).toEqual(['asleep', 'balanced']);
  expect(findings[0]!.value).toBeCloseTo(0.96, 9);
  expect(findings[0]!.message).toContain('median of positive over negative gradient: 2)');
  expect(findings[0]!.message).toContain('the loss is Focal Loss');
  for (const setting of ['give a halfLife', 'startAfter', 'normalizer']) {
    expect(findings[0]!.advice).toContain(setting);
  }
  expect(only(findings, 'balanced')).toMatchObject({ value: 1, classes: [0, 1, 2] });
});

test('a loss that forgets, and is asleep all the same, may forget sooner', () => {
  const criterion = new EqualizedFocalLoss({ numClasses, halfLife: 40 });
  criterion.loadStateDict(stateOf([5, 4, 2], [1, 2, 1]));
  expect(criterion.diagnose()[0]).toMatchObject({
    kind: 'asleep',
    advice: expect.stringContaining('A halfLife shorter than 40 steps') as string,
  });
});

test('a loss that startAfter still leaves alone is not asleep', () => {
  const criterion = new EqualizedFocalLoss({ numClasses, startAfter: 2 });
  const logits = Float32Array.of(1, 2, 3, 0, 1, -1);
  const found = [1, 2, 3].map(() => {
    criterion.forwardBackward(logits, [1, 0]);
    const [{ kind, value }] = criterion.diagnose() as [Finding];
    return [kind, value, Math.min(...criterion.gradientRatio)];
  });
  // The first two steps leave g at 1, and so the third is of Focal Loss, too.
  expect(found.slice(0, 2)).toEqual([
    ['not-started', 2, 1],
    ['not-started', 1, 1],
  ]);
  expect(found[2]![0]).not.toBe('not-started');
  expect(found[2]![2]).toBeLessThan(1);
});

test('classes without any positive do not keep a loss awake', () => {
  const findings = focalWith([5, 4, 0], [1, 2, 1]).diagnose();
  expect(kindsOf(findings)).toEqual(['asleep', 'without-positives', 'balanced', 'rare']);
  expect(only(findings, 'without-positives')).toMatchObject({ value: 1, classes: [2] });
});

test('a loss with one class below is awake', () => {
  const findings = focalWith([5, 4, 0.94], [1, 2, 1]).diagnose();
  expect(kindsOf(findings)).toEqual(['balanced']);
  const { value, classes } = findings[0]!;
  expectClose('share', value, 2 / 3, { relative: 1e-15 });
  expect(classes).toEqual([0, 1]);
});

test('where no class has had a positive it points at the labels', () => {
  const findings = focalWith([0, 0, 0], [1, 2, 1]).diagnose();
  expect(kindsOf(findings)).toEqual(['no-positives', 'rare']);
  expect(findings[0]!.value).toBe(3);
  expect(findings[0]!.advice).toContain("'first': label 0 is background");
});

test('where every class is near 0 it says that no class is told from another', () => {
  const findings = focalWith([0.01, 0.02, 0], [1, 1, 1]).diagnose();
  expect(kindsOf(findings)).toEqual(['all-rare', 'without-positives', 'rare']);
  expect(findings[0]!.value).toBeCloseTo(0.02, 9);
  expect(findings[0]!.advice).toContain('priorBias');
});

test('it lists classes without any gradient', () => {
  const classWeight = [1, 0, 1];
  const criterion = new EqualizedFocalLoss({ numClasses, classWeight });
  criterion.forwardBackward(Float32Array.of(1, 2, -1, 0, 0.5, 2), [1, 0]);
  expect(only(criterion.diagnose(), 'never-seen')).toMatchObject({ value: 1, classes: [1] });
});

test('it says by how much the 1e-10 moves a ratio, and what to scale', () => {
  const criterion = new EqualizedFocalLoss({ numClasses: 2 });
  const logits = Float32Array.of(1, 1, -1, -1);
  criterion.forwardBackward(logits, [1, 2], { normalizer: 1e9 });
  const found = only(criterion.diagnose(), 'small-sums');
  // 0.0943 in place of 0.3333, see docs/statistics.md.
  expect(found.value).toBeCloseTo(1 - 0.0943 / 0.3333, 2);
  expect(found.classes).toEqual([0, 1]);
  expect(found.advice).toMatch(/normalizer that is 1000 times smaller/);
  criterion.reset();
  criterion.forwardBackward(logits, [1, 2], { normalizer: 1e6 });
  expect(kindsOf(criterion.diagnose())).not.toContain('small-sums');
});

test('it counts the logits of a call that were NaN or infinite, before all else', () => {
  const criterion = new EqualizedFocalLoss({ numClasses });
  const output = criterion.forwardBackward(Float32Array.of(1, NaN, Infinity), [1]);
  expect(criterion.diagnose({ output })[0]).toMatchObject({ kind: 'non-finite', value: 2 });
  const fine = criterion.forwardBackward(Float32Array.of(1, 2, 3), [1]);
  expect(kindsOf(criterion.diagnose({ output: fine }))).not.toContain('non-finite');
});

test('it waits for the calls made before', async () => {
  const criterion = new EqualizedFocalLoss({ numClasses });
  const call = criterion.forwardBackwardAsync(Float32Array.of(1, 2, 3), [1]);
  expect(kindsOf(criterion.diagnose())).not.toContain('nothing-collected');
  await call;
});

test('Equalized Quality Focal Loss asleep is Quality Focal Loss', () => {
  const criterion = new EqualizedQualityFocalLoss({ numClasses });
  criterion.loadStateDict(stateOf([2, 2, 2], [1, 1, 1]));
  expect(criterion.diagnose()[0]!.message).toContain('the loss is Quality Focal Loss');
});

describe('of Equalization Loss v2', () => {
  const criterion = (options = {}): EqualizationLossV2 =>
    new EqualizationLossV2({ numClasses, ...options });

  test.each([
    [{}, 1.0454, 'asleep'],
    [{}, 1.0453, undefined],
    [{ mapMidpoint: 2, mapSteepness: 6 }, 2.4908, 'asleep'],
    [{ mapMidpoint: 2, mapSteepness: 6 }, 2.4905, undefined],
    [{}, 0.5546, 'all-rare'],
    [{}, 0.5547, undefined],
  ])('with %p all ratios %d are %s: f(r) is there 0.95 or 0.05', (options, ratio, kind) => {
    const loss = criterion(options);
    loss.loadStateDict(stateOf([ratio, ratio, ratio], [1, 1, 1], Infinity));
    const weight = loss.negativeWeight[0]!;
    expect(Math.min(Math.abs(weight - 0.95), Math.abs(weight - 0.05))).toBeLessThan(2e-4);
    const ends = kindsOf(loss.diagnose()).filter((found) => /asleep|all-rare/.test(found));
    expect(ends).toEqual(kind ? [kind] : []);
  });

  test('the ratio of 100 that it starts with is nothing collected, and asleep it is cross-entropy', () => {
    const loss = criterion();
    expect(kindsOf(loss.diagnose())).toEqual(['nothing-collected']);
    loss.loadStateDict(stateOf([9, 9, 9], [1, 1, 1], Infinity));
    expect(loss.diagnose()[0]!.message).toMatch(/^r is at least 9 .* the loss is cross-entropy/);
  });
});

test.each<[unknown, string]>([
  [{ outputs: 1 }, 'outputs'],
  [{ output: 1 }, 'output'],
  [{ output: null }, 'output'],
  [{ output: {} }, 'output.nonFinite'],
  [{ output: { nonFinite: NaN } }, 'output.nonFinite'],
])('%p is refused', (options, argument) => {
  expectRefused(() => new EqualizedFocalLoss({ numClasses }).diagnose(wrong(options)), argument);
});
