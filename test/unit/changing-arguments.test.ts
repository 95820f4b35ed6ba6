import { EflArgumentError, EflDisposedError, EqualizedFocalLoss, FocalLoss } from '../../lib';

const logits = Float32Array.from([1, -2, 0.5, 3, -1, 0.25]);
const labels = [1, 0, 2];

describe('a criterion that is disposed of while its arguments are read', () => {
  const disposing = (criterion: EqualizedFocalLoss, name: string) => ({
    get [name](): number {
      criterion.dispose();
      return 1;
    },
  });

  test('throws a typed error from a synchronous call', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 2 });
    const call = disposing(criterion, 'lossScale');
    expect(() => criterion.forwardBackward(logits, labels, call)).toThrow(EflDisposedError);
  });

  test('rejects an asynchronous call', async () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 2 });
    const call = disposing(criterion, 'gradOutput');
    await expect(criterion.forwardBackwardAsync(logits, labels, call)).rejects.toThrow(
      EflDisposedError,
    );
  });

  test('throws from collectGrad', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 2 });
    const call = disposing(criterion, 'lossScale');
    expect(() => criterion.collectGrad(logits, labels, call)).toThrow(EflDisposedError);
  });
});

describe('an object that the caller changes after the call', () => {
  test('does not change where the gradient goes', async () => {
    const criterion = new FocalLoss({ numClasses: 2 });
    const first = new Float32Array(6);
    const call = { grad: first };
    const promise = criterion.forwardBackwardAsync(logits, labels, call);
    call.grad = new Float32Array(6);
    const { grad } = await promise;
    expect(grad).toBe(first);
    expect(first).toEqual(criterion.forwardBackward(logits, labels).grad);
  });

  test('does not change the shape of the result', async () => {
    const criterion = new FocalLoss({ numClasses: 2, reduction: 'none' });
    const tensor = { data: logits.slice(), shape: [3, 2] };
    const promise = criterion.forwardBackwardAsync(tensor, labels);
    tensor.shape = [1, 2];
    const { grad, elements } = await promise;
    expect(grad.shape).toEqual([3, 2]);
    expect(elements?.shape).toEqual([3, 2]);
  });

  test('does not change the options of a criterion', () => {
    const criterion = new FocalLoss({ numClasses: 2 });
    expect(() => {
      (criterion.options.ignoreIndex as number[]).push(7);
    }).toThrow(TypeError);
  });
});

test('a getter that makes a call of its own does not mix the results up', () => {
  const criterion = new FocalLoss({ numClasses: 2 });
  const expected = criterion.forwardBackward(logits, labels).loss;
  const tensor = {
    data: logits,
    get shape(): number[] {
      criterion.forward(Float32Array.from([100, 100]), [0]);
      return [3, 2];
    },
  };
  expect(criterion.forwardBackward(tensor, labels).loss).toBe(expected);
});

test('factors that are finite, but whose product is not, are refused', () => {
  const criterion = new FocalLoss({ numClasses: 2, lossWeight: 1e30 });
  expect(() => criterion.forwardBackward(logits, labels, { gradOutput: 1e30 })).toThrow(
    EflArgumentError,
  );
});

test('a gradient array that is gone when the call ends is reported, and the state has the call', async () => {
  const criterion = new EqualizedFocalLoss({ numClasses: 2 });
  const grad = new Float32Array(6);
  const promise = criterion.forwardBackwardAsync(logits, labels, { grad });
  structuredClone(grad.buffer, { transfer: [grad.buffer] });
  await expect(promise).rejects.toMatchObject({ code: 'EFL_GRAD_DETACHED' });
  expect(criterion.statistics.steps).toBe(1);
});
