import { EflDisposedError, EqualizationLossV2, EqualizedFocalLoss, FocalLoss } from '../../lib';
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

const classes = 7;
const rows = 4 * 320;
const { logits, labels } = makeSample(411, rows, classes);
const ofPart = rows / 4;
const parts = [0, 1, 2, 3].map((part) => ({
  logits: logits.subarray(part * ofPart * classes, (part + 1) * ofPart * classes),
  labels: labels.slice(part * ofPart, (part + 1) * ofPart),
}));

describe.each([EqualizedFocalLoss, EqualizationLossV2])('deferred calls of %p', (Loss) => {
  const make = () => new Loss({ numClasses: classes });

  test('count together as one batch does, with one normalizer', () => {
    const [whole, accumulated] = [make(), make()];
    for (let step = 0; step < 3; step += 1) {
      const { grad } = whole.forwardBackward(logits, labels, { normalizer: rows });
      const before = accumulated.gradientRatio;
      const grads = parts.map((part) => {
        const call = { normalizer: rows, collect: 'defer' } as const;
        return [...accumulated.forwardBackward(part.logits, part.labels, call).grad];
      });
      expect(accumulated.gradientRatio).toEqual(before);
      expect(accumulated.pendingCalls).toBe(4);
      accumulated.commit();
      expectClose('gradient', grads.flat(), grad, { relative: 1e-6, absolute: 1e-12 });
      for (const name of ['positive', 'negative'] as const) {
        const [sums, expected] = [accumulated.statistics[name], whole.statistics[name]];
        expectClose(name, sums, expected, { relative: 1e-12 });
      }
      expectClose('ratio', accumulated.gradientRatio, whole.gradientRatio, { relative: 1e-12 });
      expect(accumulated.statistics.steps).toBe(step + 1);
    }
  });

  test('leave the state alone until they are committed', () => {
    const criterion = make();
    criterion.forwardBackward(logits, labels);
    const before = stateOf(criterion);
    criterion.forwardBackward(parts[1]!.logits, parts[1]!.labels, { collect: 'defer' });
    expectSameState(stateOf(criterion), before);
    expect(criterion.pendingCalls).toBe(1);
    criterion.commit();
    expect(criterion.pendingCalls).toBe(0);
    expect(criterion.statistics.steps).toBe(2);
  });

  test('take gradients from elsewhere, too', () => {
    const [now, deferred] = [make(), make()];
    now.collectGrad(logits, labels);
    for (const part of parts) {
      deferred.collectGrad(part.logits, part.labels, { collect: 'defer' });
    }
    deferred.commit();
    expectClose('ratio', deferred.gradientRatio, now.gradientRatio, { relative: 1e-12 });
    expect(deferred.statistics.steps).toBe(1);
  });
});

describe('a commit', () => {
  const defer = { collect: 'defer' } as const;
  const make = () => new EqualizedFocalLoss({ numClasses: classes });

  test('agrees with the reference', () => {
    const criterion = make();
    const reference = new ReferenceCriterion({ numClasses: classes }, 'equalizedFocal');
    for (const part of parts) {
      criterion.forwardBackward(part.logits, part.labels, defer);
      reference.forwardBackward(part.logits, part.labels, defer);
    }
    criterion.commit();
    reference.commit();
    expectStatistics(criterion.statistics, reference);
    expectClose('ratio', criterion.gradientRatio, reference.ratio, { relative: 1e-6 });
  });

  test('with nothing pending changes nothing and counts no step', () => {
    const criterion = make();
    criterion.forwardBackward(logits, labels);
    const before = stateOf(criterion);
    criterion.commit();
    expectSameState(stateOf(criterion), before);
  });

  test('of calls whose gradients are all 0 counts no step', () => {
    const criterion = make();
    criterion.forwardBackward(logits, labels, { ...defer, gradOutput: 0 });
    criterion.forwardBackward(logits, new Int32Array(rows).fill(-1), defer);
    expect(criterion.pendingCalls).toBe(0);
    criterion.commit();
    expect(criterion.statistics.steps).toBe(0);
    expect(criterion.gradientRatio).toEqual(new Float64Array(classes).fill(1));
  });

  test('a call that fails leaves what is pending as it was', () => {
    const criterion = make();
    const alone = make();
    alone.forwardBackward(logits, labels);
    criterion.forwardBackward(logits, labels, defer);
    expectRefused(
      () =>
        criterion.forwardBackward(
          logits,
          labels.map(() => 99),
          defer,
        ),
      'labels[0]',
    );
    expect(criterion.pendingCalls).toBe(1);
    criterion.commit();
    expectSameState(stateOf(criterion), stateOf(alone));
  });

  test('adds to calls that are collected at once', () => {
    const [mixed, plain] = [make(), make()];
    mixed.forwardBackward(logits, labels, defer);
    mixed.forwardBackward(logits, labels);
    plain.forwardBackward(logits, labels);
    expectSameState(stateOf(mixed), stateOf(plain));
    mixed.commit();
    expect(mixed.statistics.positive).toEqual(plain.statistics.positive.map((sum) => 2 * sum));
    expect(mixed.statistics.steps).toBe(2);
  });

  test('waits for the asynchronous calls before it, in their order', async () => {
    const [sync, later] = [make(), make()];
    for (const part of parts) sync.forwardBackward(part.logits, part.labels, defer);
    sync.commit();
    sync.forwardBackward(logits, labels, defer);
    const calls = parts.map((part) => later.forwardBackwardAsync(part.logits, part.labels, defer));
    later.commit();
    calls.push(later.forwardBackwardAsync(logits, labels, defer));
    await Promise.all(calls);
    expectSameState(stateOf(later), stateOf(sync));
    expect(later.pendingCalls).toBe(1);
  });

  test('is refused after dispose, with options that are none, and with a stream that is none', () => {
    const criterion = make();
    expectRefused(() => {
      criterion.commit({ stream: wrong('default') });
    }, 'stream');
    expectRefused(() => {
      criterion.commit(wrong({ steps: 1 }));
    }, 'steps');
    criterion.dispose();
    expect(() => {
      criterion.commit();
    }).toThrow(EflDisposedError);
  });
});

describe('pending sums', () => {
  const defer = { collect: 'defer' } as const;
  const pending = () => {
    const criterion = new EqualizedFocalLoss({ numClasses: classes });
    criterion.forwardBackward(parts[0]!.logits, parts[0]!.labels);
    criterion.forwardBackward(logits, labels, defer);
    return criterion;
  };

  test('are cleared by reset', () => {
    const criterion = pending();
    criterion.reset();
    expect(criterion.pendingCalls).toBe(0);
    criterion.commit();
    expect(criterion.statistics.steps).toBe(0);
    expect(criterion.statistics.negative).toEqual(new Float64Array(classes));
  });

  test('are no part of a state dict, and are dropped where one is loaded', () => {
    const criterion = pending();
    const state = criterion.stateDict();
    expect(state.steps).toBe(1);
    criterion.loadStateDict(state);
    expect(criterion.pendingCalls).toBe(0);
    criterion.commit();
    expect(criterion.stateDict()).toEqual(state);
  });

  test('stay where a state that is refused is loaded', () => {
    const criterion = pending();
    expectRefused(() => {
      criterion.loadStateDict(wrong({}));
    }, 'state.pos_grad');
    expect(criterion.pendingCalls).toBe(1);
  });

  test('stay pending on both sides of a merge', () => {
    const [criterion, other] = [pending(), pending()];
    criterion.mergeStatistics(other);
    expect(criterion.statistics.steps).toBe(2);
    expect(criterion.pendingCalls).toBe(1);
    expect(other.pendingCalls).toBe(1);
    criterion.commit();
    expect(criterion.statistics.steps).toBe(3);
  });
});

describe('merged statistics', () => {
  const make = () => new EqualizedFocalLoss({ numClasses: classes, halfLife: 2 });

  test('of threads that share a step count as that step', () => {
    const [whole, shared] = [make(), make()];
    for (let step = 0; step < 3; step += 1) {
      whole.forwardBackward(logits, labels, { normalizer: rows });
      for (const part of parts) {
        const worker = make();
        worker.loadStateDict({ ...worker.stateDict(), pos_neg: shared.gradientRatio });
        worker.forwardBackward(part.logits, part.labels, { normalizer: rows });
        shared.mergeStatistics(worker.statistics, { collect: 'defer' });
      }
      shared.commit();
      expectClose('ratio', shared.gradientRatio, whole.gradientRatio, { relative: 1e-12 });
      expect(shared.statistics.steps).toBe(step + 1);
    }
  });

  test('are refused with a collect that is none', () => {
    const options = { collect: wrong(false) };
    expectRefused(() => {
      make().mergeStatistics(make(), options);
    }, 'collect');
  });
});

describe('the option collect', () => {
  const criterion = new EqualizedFocalLoss({ numClasses: classes });

  test('is refused where it is neither true, false nor defer', () => {
    const call = { collect: wrong('later') };
    const error = expectRefused(() => criterion.forwardBackward(logits, labels, call), 'collect');
    expect(error.expected).toBe("true, false or 'defer'");
    expect(criterion.statistics.steps).toBe(0);
  });

  test('is not false for gradients, which are given for nothing else', () => {
    const call = { collect: wrong(false) };
    const error = expectRefused(() => criterion.collectGrad(logits, labels, call), 'collect');
    expect(error.expected).toBe("true or 'defer'");
  });

  test('means nothing to a loss without statistics', () => {
    const focal = new FocalLoss({ numClasses: classes });
    const call = { collect: 'defer' } as const;
    expect(focal.forwardBackward(logits, labels, call)).toEqual(
      focal.forwardBackward(logits, labels),
    );
  });
});
