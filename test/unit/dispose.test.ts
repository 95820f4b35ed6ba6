import { EflDisposedError, EqualizedFocalLoss, FocalLoss } from '../../lib';
import { makeSample, rejectionOf, thrownBy } from '../reference/harness';

const { logits, labels } = makeSample(151, 4, 3);
const create = {
  FocalLoss: () => new FocalLoss({ numClasses: 3 }),
  EqualizedFocalLoss: () => new EqualizedFocalLoss({ numClasses: 3 }),
};

describe.each(['FocalLoss', 'EqualizedFocalLoss'] as const)('a disposed %s', (name) => {
  test('refuses synchronous calls', () => {
    const criterion = create[name]();
    criterion.dispose();
    for (const call of [
      () => criterion.forward(logits, labels),
      () => criterion.forwardBackward(logits, labels),
    ]) {
      const error = thrownBy(call);
      expect(error).toBeInstanceOf(EflDisposedError);
      expect(error).toMatchObject({ code: 'EFL_DISPOSED', name: 'EflDisposedError' });
    }
  });

  test('rejects asynchronous calls', async () => {
    const criterion = create[name]();
    criterion.dispose();
    for (const promise of [
      criterion.forwardAsync(logits, labels),
      criterion.forwardBackwardAsync(logits, labels),
      criterion.synchronize(),
    ]) {
      expect(await rejectionOf(promise)).toBeInstanceOf(EflDisposedError);
    }
  });

  test('may be disposed again', () => {
    const criterion = create[name]();
    criterion.dispose();
    expect(() => {
      criterion.dispose();
      criterion[Symbol.dispose]();
    }).not.toThrow();
  });

  test('leaves others of its kind working', () => {
    const other = create[name]();
    create[name]().dispose();
    expect(other.forwardBackward(logits, labels).grad).toHaveLength(12);
  });

  test('leaves results of its calls alone', () => {
    const criterion = create[name]();
    const { grad } = criterion.forwardBackward(logits, labels);
    const kept = grad.slice();
    criterion.dispose();
    expect(grad).toEqual(kept);
  });

  test('is what Symbol.dispose makes of it', () => {
    const criterion = create[name]();
    criterion[Symbol.dispose]();
    expect(thrownBy(() => criterion.forward(logits, labels))).toBeInstanceOf(EflDisposedError);
  });
});

describe('a disposed EqualizedFocalLoss', () => {
  test.each<[string, (criterion: EqualizedFocalLoss) => unknown]>([
    ['gradientRatio', (criterion) => criterion.gradientRatio],
    ['focusingFactor', (criterion) => criterion.focusingFactor],
    ['weightingFactor', (criterion) => criterion.weightingFactor],
    ['statistics', (criterion) => criterion.statistics],
    ['collectGrad', (criterion) => criterion.collectGrad(logits, labels)],
    ['stateDict', (criterion) => criterion.stateDict()],
    [
      'loadStateDict',
      (criterion) => {
        criterion.loadStateDict({ pos_grad: [0, 0, 0], neg_grad: [0, 0, 0], pos_neg: [1, 1, 1] });
      },
    ],
    [
      'saveState',
      (criterion) => {
        criterion.saveState('never-written.safetensors');
      },
    ],
    [
      'reset',
      (criterion) => {
        criterion.reset();
      },
    ],
  ])('has no %s any more', (_, use) => {
    const criterion = create.EqualizedFocalLoss();
    criterion.dispose();
    expect(thrownBy(() => use(criterion))).toBeInstanceOf(EflDisposedError);
  });

  test('rejects collectGradAsync', async () => {
    const criterion = create.EqualizedFocalLoss();
    criterion.dispose();
    const error = await rejectionOf(criterion.collectGradAsync(logits, labels));
    expect(error).toBeInstanceOf(EflDisposedError);
  });
});
