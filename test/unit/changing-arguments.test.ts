import {
  EflArgumentError,
  EflDisposedError,
  EqualizedFocalLoss,
  FocalLoss,
  QualityFocalLoss,
  functional,
} from '../../lib';
import { expectRefused } from '../reference/harness';

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

  test('does not change which labels are ignored', () => {
    let reads = 0;
    const ignoreIndex = Object.defineProperty([-1], 0, {
      get: () => (++reads === 1 ? -5 : 1),
    });
    const criterion = new FocalLoss({ numClasses: 2, ignoreIndex });
    expect(criterion.options.ignoreIndex).toEqual([-5]);
    expect(criterion.forward(logits, [1, 0, -5])).toMatchObject({ positives: 1, ignored: 1 });
    expect(reads).toBe(1);
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

test('a signal that makes a call of its own when it gets its listener does not change the numbers', async () => {
  const criterion = new FocalLoss({ numClasses: 2 });
  const { signal } = new AbortController();
  signal.addEventListener = () => void criterion.forward(logits, labels, { normalizer: 4 });
  const { loss } = await criterion.forwardAsync(logits, labels, { normalizer: 2, signal });
  expect(loss).toBe(criterion.forward(logits, labels, { normalizer: 2 }).loss);
});

test('a gradient array that is gone when the call ends is reported, and the state has the call', async () => {
  const criterion = new EqualizedFocalLoss({ numClasses: 2 });
  const grad = new Float32Array(6);
  const promise = criterion.forwardBackwardAsync(logits, labels, { grad });
  structuredClone(grad.buffer, { transfer: [grad.buffer] });
  await expect(promise).rejects.toMatchObject({ code: 'EFL_GRAD_DETACHED' });
  expect(criterion.statistics.steps).toBe(1);
});

describe('memory that is transferred away while arguments are read', () => {
  const detach = ({ buffer }: ArrayBufferView): void => {
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  };

  type Arguments = [logits: unknown, labels: unknown, call: object];

  /** The argument that goes, and a call in which the reading of another one takes it away. */
  const cases: [argument: string, make: () => Arguments][] = [
    [
      'logits',
      () => {
        const values = logits.slice();
        const rows = {
          get data(): Int32Array {
            detach(values);
            return Int32Array.from(labels);
          },
          shape: [3],
        };
        return [values, rows, {}];
      },
    ],
    [
      'labels',
      () => {
        const rows = Int32Array.from(labels);
        const grad = {
          get data(): Float32Array {
            detach(rows);
            return new Float32Array(6);
          },
          shape: [3, 2],
        };
        return [logits, rows, { grad }];
      },
    ],
    [
      'grad',
      () => {
        const grad = new Float32Array(6);
        const gradOutput = {
          get data(): Float32Array {
            detach(grad);
            return new Float32Array(6);
          },
          shape: [3, 2],
        };
        return [logits, labels, { grad, gradOutput }];
      },
    ],
    [
      'logits',
      () => {
        // No rows at all: nothing would tell that they are gone.
        const values = new Float32Array(0);
        const grad = {
          get data(): Float32Array {
            detach(values);
            return new Float32Array(0);
          },
          shape: [0, 2],
        };
        return [values, [], { grad }];
      },
    ],
  ];

  test.each(cases)('is refused: %s', async (argument, make) => {
    const criterion = new EqualizedFocalLoss({ numClasses: 2, reduction: 'none' });
    const call = (): Parameters<typeof criterion.forwardBackward> => make() as never;
    const error = expectRefused(() => criterion.forwardBackward(...call()), argument);
    expect(error.received).toBe('a detached buffer');
    await expect(criterion.forwardBackwardAsync(...call())).rejects.toMatchObject({ argument });
    expect(criterion.statistics.steps).toBe(0);
  });

  test('is refused by sigmoidFocalLoss', () => {
    const values = logits.slice();
    const targets = {
      get data(): Float32Array {
        detach(values);
        return new Float32Array(6);
      },
      shape: [6],
    };
    expect(() => functional.sigmoidFocalLoss(values, targets)).toThrow(EflArgumentError);
  });

  test('by a signal is refused, too', async () => {
    const values = logits.slice();
    const signal = {
      get aborted(): boolean {
        detach(values);
        return false;
      },
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
    } as unknown as AbortSignal;
    const criterion = new EqualizedFocalLoss({ numClasses: 2 });
    await expect(criterion.forwardBackwardAsync(values, labels, { signal })).rejects.toMatchObject({
      argument: 'logits',
    });
  });
});

describe('an array that lies about itself', () => {
  const lying = <T extends object>(array: T, says: Record<string, unknown>): T => {
    for (const name of Object.keys(says)) {
      Object.defineProperty(array, name, { value: says[name] });
    }
    return array;
  };
  class Short extends Float32Array {
    override get length(): number {
      return 2;
    }
    override subarray(): never {
      throw new Error('not to be called');
    }
  }
  const expected = new FocalLoss({ numClasses: 2 }).forwardBackward(logits, labels);

  test.each<[string, Float32Array]>([
    ['a length of its own', lying(logits.slice(), { length: 600 })],
    ['a buffer of its own', lying(logits.slice(), { buffer: new ArrayBuffer(8) })],
    ['an offset of its own', lying(logits.slice(), { byteOffset: 8, byteLength: 1e9 })],
    ['a class of its own', new Short(logits)],
  ])('has the values that it has: %s', async (_, values) => {
    const criterion = new FocalLoss({ numClasses: 2 });
    expect(criterion.forwardBackward(values, labels)).toEqual(expected);
    expect(await criterion.forwardBackwardAsync(values, labels)).toEqual(expected);
    const grad = lying(new Float32Array(6), { length: 1 });
    criterion.forwardBackward(values, labels, { grad });
    expect(Array.from({ length: 6 }, (__, i) => grad[i])).toEqual([...expected.grad]);
    const moved = await criterion.forwardBackwardAsync(values, labels, { transfer: true });
    expect(moved).toEqual(expected);
  });

  test('as labels and qualities is what it is', () => {
    const rows = lying(Int32Array.from(labels), { length: 900 });
    const criterion = new FocalLoss({ numClasses: 2 });
    expect(criterion.forwardBackward(logits, rows)).toEqual(expected);
    const quality = lying(Float32Array.of(0.5, 0.5, 0.5), { length: 900 });
    const loss = new QualityFocalLoss({ numClasses: 2 });
    expect(loss.forward(logits, rows, { quality }).positives).toBe(2);
  });
});

test('the parts of a tensor are read once', () => {
  const reads = new Map<string, number>();
  const counting = <T extends object>(tensor: T): T =>
    new Proxy(tensor, {
      get(target, name): unknown {
        reads.set(String(name), (reads.get(String(name)) ?? 0) + 1);
        return Reflect.get(target, name);
      },
    });
  const criterion = new FocalLoss({ numClasses: 2 });
  const values = counting({ data: logits, shape: counting([3, 2]) });
  const rows = counting({ data: Int32Array.from(labels), shape: counting([3]) });
  criterion.forward(values, rows);
  // One of the logits and one of the labels: both have data, a shape, its length, and a size.
  expect(reads.get('data')).toBe(2);
  expect(reads.get('shape')).toBe(2);
  expect(reads.get('length')).toBe(2);
  expect(reads.get('0')).toBe(2);
  expect(reads.get('1')).toBe(1);
});
