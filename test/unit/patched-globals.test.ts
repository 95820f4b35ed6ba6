import { EqualizedFocalLoss, type EqualizedFocalLoss as Loss } from '../../lib';
import { expectSame } from '../reference/compare';
import { makeSample } from '../reference/harness';

const numClasses = 5;
const { logits, labels } = makeSample(71, 40, numClasses);
const classes = ['ArrayBuffer', 'Float32Array', 'Float64Array', 'Int32Array', 'Uint16Array'];
const methods = ['set', 'slice', 'subarray', 'fill'];
const getters = ['buffer', 'byteLength', 'byteOffset', 'length'];
const typedArrays = Object.getPrototypeOf(Float32Array.prototype) as object;

/** Runs with globals of somebody who keeps whatever he is asked for, and returns that. */
async function withPatchedGlobals(body: () => Promise<void>): Promise<unknown[]> {
  const seen: unknown[] = [];
  const undo: (() => void)[] = [];
  const patch = (
    target: object,
    name: string,
    change: (was: PropertyDescriptor) => PropertyDescriptor,
  ) => {
    const before = Object.getOwnPropertyDescriptor(target, name)!;
    Object.defineProperty(target, name, { ...before, ...change(before) });
    undo.push(() => Object.defineProperty(target, name, before));
  };
  for (const name of classes) {
    patch(globalThis, name, ({ value }) => ({
      value: new Proxy(value as new (...args: unknown[]) => object, {
        construct(target, args: unknown[]) {
          const made = Reflect.construct<unknown[], object>(target, args);
          seen.push(made);
          return made;
        },
      }),
    }));
  }
  patch(globalThis, 'structuredClone', () => ({ value: (value: unknown) => seen.push(value) }));
  for (const name of methods) {
    patch(typedArrays, name, () => ({ value: (value: unknown) => seen.push(value) }));
  }
  for (const name of getters) {
    patch(typedArrays, name, (before) => {
      const { get } = before as { get: (this: object) => unknown };
      return {
        get(this: object) {
          if (!ours.has(this)) seen.push(this);
          return get.call(this);
        },
      };
    });
  }
  try {
    await body();
  } finally {
    undo.forEach((restore) => {
      restore();
    });
  }
  return seen;
}

/** Arrays of the caller, whom it is no secret to. */
const ours = new WeakSet();

describe('globals that are replaced after the package was loaded', () => {
  const calls: [string, (criterion: Loss, x: Float32Array, y: Int32Array) => Promise<unknown>][] = [
    ['forwardAsync', (criterion, x, y) => criterion.forwardAsync(x, y)],
    ['forwardBackwardAsync', (criterion, x, y) => criterion.forwardBackwardAsync(x, y)],
    ['grad', (criterion, x, y) => criterion.forwardBackwardAsync(x, y, { grad: x })],
    ['transfer', (criterion, x, y) => criterion.forwardBackwardAsync(x, y, { transfer: true })],
    ['collectGradAsync', (criterion, x, y) => criterion.collectGradAsync(x, y)],
  ];

  test.each(calls)('get none of the memory of an asynchronous call: %s', async (_, call) => {
    const criterion = new EqualizedFocalLoss({ numClasses });
    const [x, y] = [logits.slice(), labels.slice()];
    ours.add(x).add(y);
    let made: Promise<unknown> = Promise.resolve();
    const seen = await withPatchedGlobals(async () => {
      made = call(criterion, x, y);
      await Promise.resolve();
    });
    await made;
    expect(seen).toHaveLength(0);
  });

  test('do not change its result', async () => {
    const criterion = new EqualizedFocalLoss({ numClasses });
    const expected = new EqualizedFocalLoss({ numClasses }).forwardBackward(logits, labels);
    ours.add(logits).add(labels);
    let made: Promise<{ loss: number; grad: Float32Array }> | undefined;
    await withPatchedGlobals(async () => {
      made = criterion.forwardBackwardAsync(logits, labels);
      await made;
    });
    const { loss, grad } = await made!;
    expect(loss).toBe(expected.loss);
    expectSame('grad', grad, expected.grad);
  });
});
