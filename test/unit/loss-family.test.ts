import {
  compareMember,
  FAMILY,
  familySample,
  isStateful,
  qualityCall,
  STATEFUL,
} from '../reference/family';
import type { FamilySample, Member } from '../reference/family';
import { expectClose, expectSame } from '../reference/compare';
import { expectOutput, expectSameState, stateOf } from '../reference/harness';
import { FINITE_EXTREMES, NON_FINITE } from '../reference/inputs';
import { Random } from '../reference/random';

/** For each value rows of every kind; the value is in both columns, and its row's quality varies. */
function sampleOf(values: readonly number[]): FamilySample {
  const kinds = [0, 1, 2, 1].map((label, i) => ({ label, quality: [0.5, 0.3, 0, 1][i]! }));
  const perKind = <T>(of: (kind: (typeof kinds)[number]) => T): T[] =>
    values.flatMap(() => kinds.map(of));
  return {
    logits: Float32Array.from(values.flatMap((x) => kinds.flatMap(() => [x, x]))),
    labels: Int32Array.from(perKind(({ label }) => label)),
    quality: Float32Array.from(perKind(({ quality }) => quality)),
  };
}

const LARGE = [100, -100, 1e4, -1e4, ...FINITE_EXTREMES];

describe.each(FAMILY)('$name', (one) => {
  test.each([1, 2, 7, 16, 19, 33, 80])('agrees with the reference in rows of %d', (numClasses) => {
    const sample = familySample(331, 60, numClasses);
    expect(compareMember(one, { numClasses }, sample).expected.positives).toBeGreaterThan(0);
  });

  test.each(['sum', 'mean', 'none'] as const)('agrees with it with reduction %s', (reduction) => {
    const options = { numClasses: 9, reduction, lossWeight: -1.5 };
    const call = { gradOutput: 3, lossScale: 512 };
    compareMember(one, options, familySample(332, 41, 9), call);
  });

  test.each(['first', 'last', 'none'] as const)(
    'agrees with it with background %s',
    (background) => {
      const options = { numClasses: 9, background };
      const call = { normalizer: 'positives' } as const;
      compareMember(one, options, familySample(333, 41, 9, { background }), call);
    },
  );

  test('agrees with it with an upstream gradient for each element', () => {
    const random = new Random(334);
    const sample = familySample(335, 41, 9);
    const gradOutput = Float32Array.from(sample.logits, () => random.normal());
    compareMember(one, { numClasses: 9, reduction: 'none' }, sample, { gradOutput });
  });

  test('agrees with it at extreme logits', () => {
    const options = { numClasses: 2, reduction: 'none' } as const;
    const { output } = compareMember(one, options, sampleOf(LARGE));
    expect(output.nonFinite).toBe(0);
  });

  test.each(NON_FINITE)('has the limits of its formula at %d, and counts it', (x) => {
    const options = { numClasses: 2, reduction: 'none' } as const;
    const { output } = compareMember(one, options, sampleOf([x, 1]));
    expect(output.nonFinite).toBe(8);
  });

  test('agrees with it without rows, with one row, and with only ignored rows', () => {
    for (const rows of [0, 1]) {
      compareMember(one, { numClasses: 5 }, familySample(336, rows, 5, { ignored: 0 }));
    }
    const { output } = compareMember(
      one,
      { numClasses: 5, reduction: 'mean' },
      familySample(337, 8, 5, { ignored: 1 }),
    );
    expect(output).toMatchObject({ loss: 0, positives: 0, ignored: 8 });
  });

  test('agrees with it on rows that several threads share', () => {
    compareMember(one, { numClasses: 40 }, familySample(338, 4000, 40));
  });
});

describe.each(STATEFUL)('the state of $name', (one) => {
  const numClasses = 6;

  function step(criterion: ReturnType<Member['create']>, seed: number) {
    const { logits, labels, quality } = familySample(seed, 50, numClasses);
    const call = qualityCall(one, quality);
    return {
      sample: { logits, labels },
      call,
      output: criterion.forwardBackward(logits, labels, call),
    };
  }

  test('follows the reference over several calls from the initial one', () => {
    const criterion = one.create({ numClasses });
    const reference = one.reference({ numClasses });
    if (!isStateful(criterion)) throw new Error('has a state');
    expectSame('initial ratios', criterion.gradientRatio, reference.ratio);
    for (let i = 0; i < 4; i += 1) {
      const { sample, call, output } = step(criterion, 340 + i);
      expectOutput(output, reference.forwardBackward(sample.logits, sample.labels, call));
      expectClose('ratios', criterion.gradientRatio, reference.ratio, { relative: 1e-5 });
      reference.load(criterion.stateDict());
    }
    expect(criterion.statistics.steps).toBe(4);
  });

  test('goes through a dictionary, a merge and a reset', () => {
    const [criterion, copy, fresh] = [1, 2, 3].map(() => {
      const created = one.create({ numClasses });
      if (!isStateful(created)) throw new Error('has a state');
      return created;
    });
    step(criterion!, 350);
    copy!.loadStateDict(criterion!.stateDict());
    expect(copy!.stateDict()).toEqual(criterion!.stateDict());
    const initial = stateOf(fresh!);
    fresh!.mergeStatistics(criterion!.statistics);
    expectSameState(stateOf(fresh!), stateOf(criterion!));
    fresh!.reset();
    expectSameState(stateOf(fresh!), initial);
  });
});
