/** Whatever is passed: a call does its work, or is refused with an error of ours and no trace. */
import fc from 'fast-check';
import {
  CudaTensor,
  EflError,
  EqualizationLossV2,
  EqualizedFocalLoss,
  EqualizedQualityFocalLoss,
  FocalLoss,
  QualityFocalLoss,
  RepeatFactorSampler,
  effectiveNumberWeights,
  federatedClasses,
  functional,
  inverseFrequencyWeights,
  repeatFactors,
  weightsByLabel,
} from '../../lib';
import { expectSame } from '../reference/compare';
import { expectSameState, stateOf, wrong } from '../reference/harness';
import { check, checkAsync } from './support';

const ROWS = 3;
const CLASSES = 2;

/** What a getter of the caller throws; it comes out as it is. */
class Theirs extends Error {}

const typedArrays = fc
  .tuple(
    fc.constantFrom<(length: number) => ArrayBufferView>(
      (length) => new Float32Array(length),
      (length) => new Float64Array(length),
      (length) => new Uint16Array(length),
      (length) => new Int32Array(length),
      (length) => new Uint8ClampedArray(length),
      (length) => new BigInt64Array(length).fill(2n ** 40n),
      (length) => new Uint32Array(length).fill(2 ** 32 - 1),
      (length) => new Float32Array(length).fill(NaN),
      (length) => new Float32Array(new SharedArrayBuffer(4 * length)),
      (length) => Object.defineProperty(new Float32Array(length), 'length', { value: 1e9 }),
      (length) => Object.defineProperty(new Int32Array(length), 'buffer', { value: null }),
      (length) => detached(new Float32Array(length)),
      (length) => new DataView(new ArrayBuffer(length)),
    ),
    fc.constantFrom(0, 1, ROWS, ROWS * CLASSES, 7),
  )
  .map(([make, length]) => make(length));

function detached<T extends ArrayBufferView>(values: T): T {
  structuredClone(values.buffer, { transfer: [values.buffer as ArrayBuffer] });
  return values;
}

const shapes = fc.oneof(
  fc.array(fc.constantFrom<unknown>(1, CLASSES, ROWS, 0, -1, 2 ** 40, NaN, '2', null, {}), {
    maxLength: 6,
  }),
  fc.constant(new Array(2 ** 31)),
  fc.constant(Int32Array.of(ROWS, CLASSES)),
  fc.anything(),
);

const dtypes = fc.constantFrom<unknown>('float32', 'float16', 'bfloat16', 'int64', 7, null);

/** Objects that look like tensors of this library and of others. */
const tensors = fc.oneof(
  fc.record(
    {
      data: fc.oneof(typedArrays, fc.anything()),
      shape: shapes,
      dims: shapes,
      dtype: dtypes,
      type: dtypes,
      strides: shapes,
      offset: fc.constantFrom<unknown>(0, 1, -1, 2 ** 53, '0'),
    },
    { requiredKeys: ['data'] },
  ),
  fc.record({
    data: fc.array(fc.record({ values: typedArrays, length: fc.constantFrom(0, 6, -1, 1e9) })),
    nullCount: fc.constantFrom<unknown>(0, 1, undefined),
  }),
);

/** A value of any kind, or one that throws or changes when it is read. */
const nasty: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({ withBigInt: true, withTypedArray: true, withMap: true, withSet: true }),
  typedArrays,
  tensors,
  fc.array(fc.oneof(tensors, typedArrays), { maxLength: 3 }),
  tensors.map((tensor) => thrower(tensor)),
  tensors.map((tensor) => changing(tensor)),
  fc.array(tensors, { minLength: 1, maxLength: 2 }).map((list) => changing(list)),
  fc.constantFrom<unknown>(Symbol('nasty'), () => 1, Object.create(null), new Array(2 ** 32 - 1)),
  fc.constant({ valueOf: () => 1, [Symbol.toPrimitive]: () => 1, toString: () => 'sum' }),
);

function thrower(target: object): object {
  // How the report of a failure prints it, which may not throw.
  const printed = Object.defineProperty(target, fc.toStringMethod, { value: () => 'a thrower' });
  return new Proxy(printed, {
    get(_, name): unknown {
      if (typeof name === 'symbol') return Reflect.get(target, name);
      throw new Theirs();
    },
  });
}

/** Every second time something else. */
function changing(target: object): object {
  let reads = 0;
  return new Proxy(target, {
    get(_, name): unknown {
      reads += 1;
      const value: unknown = Reflect.get(target, name);
      return reads % 2 === 1 || typeof value !== 'number' ? value : 2 ** 31;
    },
  });
}

const names = [
  ...['logits', 'labels', 'normalizer', 'quality', 'layout', 'anchors', 'channelOrder'],
  ...['gradOutput', 'lossScale', 'collect', 'grad', 'signal', 'transfer', 'stream', 'colect'],
];

/** Of an ordinary call some parts replaced, and memory that the reading of the labels takes away. */
const spoiled = fc.record({
  reduction: fc.constantFrom<'sum' | 'none'>('sum', 'none'),
  parts: fc.dictionary(fc.constantFrom(...names), nasty, { maxKeys: 3 }),
  takesAway: fc.option(fc.constantFrom('logits', 'grad'), { nil: undefined, freq: 3 }),
});

type Act = 'nothing' | 'throw' | 'dispose' | 'listen' | 'abort' | 'missing';

/** What the parts of a signal do, each time they are used. */
const signals = fc.record({
  aborted: fc.constantFrom<Act>('nothing', 'throw', 'dispose', 'abort', 'missing'),
  addEventListener: fc.constantFrom<Act>(
    ...(['nothing', 'throw', 'dispose', 'listen', 'abort', 'missing'] as const),
  ),
  removeEventListener: fc.constantFrom<Act>('nothing', 'throw', 'dispose', 'listen', 'missing'),
  /** How often they do nothing before. */
  patience: fc.integer({ min: 0, max: 3 }),
});

function signalOf(
  { patience, ...acts }: typeof signals extends fc.Arbitrary<infer T> ? T : never,
  dispose: () => void,
): object {
  let uses = 0;
  let aborted = false;
  const act = (what: Act, listener?: () => void): void => {
    if (uses++ < patience) return;
    if (what === 'throw') throw new Theirs();
    if (what === 'dispose') dispose();
    if (what === 'abort') aborted = true;
    if (what === 'listen') listener?.();
  };
  const signal = {};
  for (const name of ['addEventListener', 'removeEventListener'] as const) {
    const value = (_: string, listener: () => void): void => {
      act(acts[name], listener);
    };
    if (acts[name] !== 'missing') Object.defineProperty(signal, name, { value });
  }
  const get = (): boolean => {
    act(acts.aborted);
    return aborted;
  };
  return acts.aborted === 'missing' ? signal : Object.defineProperty(signal, 'aborted', { get });
}

interface Call {
  readonly logits: unknown;
  readonly labels: unknown;
  readonly options: Record<string, unknown>;
  readonly grad: Float32Array;
}

function callOf({ parts, takesAway }: { parts: object; takesAway?: string | undefined }): Call {
  const own = {
    logits: Float32Array.of(1, -1, 0.5, 2, -3, 0),
    labels: Int32Array.of(1, 0, 2),
    grad: new Float32Array(ROWS * CLASSES).fill(7),
  };
  const { logits, labels, ...options } = { ...own, ...parts };
  const rows = {
    get data(): Int32Array {
      detached(own[takesAway as keyof typeof own]);
      return Int32Array.of(1, 0, 2);
    },
    shape: [ROWS],
  };
  return { logits, labels: takesAway ? rows : labels, options, grad: own.grad };
}

const vectors = fc.oneof(
  fc
    .constantFrom(
      () => Float64Array.of(0.5, 1),
      () => [0.5, 1],
      () => Float32Array.of(0.5, 1),
    )
    .map((make): unknown => make()),
  fc.constantFrom(0, 1, 3, 16, -1, NaN, 2 ** 40).map((length) =>
    // One of another length than it says, and one that iterates over another number of values.
    Object.defineProperty(new Float64Array(CLASSES), 'length', { value: length }),
  ),
  fc.constantFrom(0, 1, 3, 16).map((length) => {
    const values = () => new Array<number>(length).fill(1)[Symbol.iterator]();
    return Object.defineProperty([0.5, 1], Symbol.iterator, { value: values });
  }),
  nasty,
);

/** Parts of a state or of statistics; reading some of them takes the others away. */
const dictionaries = fc
  .record(
    {
      ...{ pos_grad: vectors, neg_grad: vectors, pos_neg: vectors },
      ...{ positive: vectors, negative: vectors },
      steps: fc.oneof(fc.constantFrom<unknown>(0, 1, -1, 0.5, 2 ** 53, 1n), nasty),
    },
    { requiredKeys: [] },
  )
  .chain((parts) =>
    fc.constantFrom(parts, thrower({ ...parts }), changing({ ...parts }), takingAway(parts)),
  );

/** Every read transfers away what the read before it has returned. */
function takingAway(parts: Readonly<Record<string, unknown>>): object {
  let last: unknown;
  return new Proxy(parts, {
    get(target, name): unknown {
      if (ArrayBuffer.isView(last) && last.buffer instanceof ArrayBuffer) {
        structuredClone(last.buffer, { transfer: [last.buffer] });
      }
      last = Reflect.get(target, name);
      return last;
    },
  });
}

/** An error that a call may end with. */
function expectOurs(error: unknown): void {
  if (error instanceof EflError || error instanceof Theirs) return;
  throw error;
}

function refusalOf(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch (error) {
    expectOurs(error);
    return true;
  }
}

function expectUntouched(
  criterion: EqualizedFocalLoss,
  before: ReturnType<typeof stateOf>,
  grad: Float32Array,
): void {
  expectSameState(stateOf(criterion), before);
  // Of no length where a getter has transferred it away.
  expectSame('grad', grad, new Float32Array(grad.length).fill(7));
}

/** With a state that a call would change. */
function used(reduction: 'sum' | 'none'): EqualizedFocalLoss {
  const criterion = new EqualizedFocalLoss({ numClasses: CLASSES, reduction });
  criterion.forwardBackward(Float32Array.of(1, 2), [1]);
  return criterion;
}

describe('arguments of every kind are taken, or refused without a trace,', () => {
  test('by a synchronous call', () => {
    check(
      fc.property(spoiled, (given) => {
        const criterion = used(given.reduction);
        const before = stateOf(criterion);
        const { logits, labels, options, grad } = callOf(given);
        const call = () => criterion.forwardBackward(wrong(logits), wrong(labels), wrong(options));
        if (refusalOf(call)) expectUntouched(criterion, before, grad);
        criterion.dispose();
      }),
      1500,
    );
  });

  test('by an asynchronous call', async () => {
    await checkAsync(
      fc.asyncProperty(spoiled, async (given) => {
        const criterion = used(given.reduction);
        const before = stateOf(criterion);
        const { logits, labels, options, grad } = callOf(given);
        try {
          await criterion.forwardBackwardAsync(wrong(logits), wrong(labels), wrong(options));
        } catch (error) {
          expectOurs(error);
          // Here the call was computed, and its gradient had nowhere to go.
          if ((error as EflError).code !== 'EFL_GRAD_DETACHED') {
            expectUntouched(criterion, before, grad);
          }
        }
        criterion.dispose();
      }),
      600,
    );
  });

  test('by a signal of any kind', async () => {
    await checkAsync(
      fc.asyncProperty(signals, async (parts) => {
        const criterion = used('sum');
        const before = stateOf(criterion);
        const { logits, labels, grad } = callOf({ parts: {} });
        let isDisposed = false;
        const signal = signalOf(parts, () => {
          isDisposed = true;
          criterion.dispose();
        });
        const call = { signal, grad } as object;
        const rejection = await criterion
          .forwardBackwardAsync(wrong(logits), wrong(labels), call)
          .then(
            () => undefined,
            (error: unknown) => error,
          );
        if (rejection !== undefined) expectOurs(rejection);
        if (isDisposed) return; // the state is no more
        if (rejection !== undefined) expectUntouched(criterion, before, grad);
        else expect(criterion.statistics.steps).toBe(before.steps + 1);
        criterion.dispose();
      }),
      300,
    );
  });

  test('by the labels to ignore', () => {
    const label = fc.constantFrom<unknown>(-1, -7, 255, 0, 1, 2 ** 31, NaN, null, '-1');
    const readings = fc.array(fc.array(label, { minLength: 1, maxLength: 3 }), { maxLength: 3 });
    check(
      fc.property(readings, fc.constantFrom(undefined, 0, 2 ** 40, NaN), (lists, length) => {
        // Each label is another one each time it is read.
        const list = lists.map((each) => each[0]);
        lists.forEach((each, index) => {
          let reads = 0;
          Object.defineProperty(list, index, { get: () => each[reads++ % each.length] });
        });
        const says = (target: object, name: PropertyKey): unknown =>
          name === 'length' && length !== undefined ? length : Reflect.get(target, name);
        const ignoreIndex: unknown = new Proxy(list, { get: says });
        refusalOf(() => {
          const criterion = new FocalLoss(wrong({ numClasses: CLASSES, ignoreIndex }));
          const taken = criterion.options.ignoreIndex;
          for (const each of taken) expect([-1, -7, 255]).toContain(each);
          const rows = new Float32Array(taken.length * CLASSES);
          expect(criterion.forward(rows, taken).ignored).toBe(taken.length);
        });
      }),
      300,
    );
  });

  test('by collectGrad', () => {
    check(
      fc.property(nasty, nasty, fc.boolean(), (grads, labels, isFirst) => {
        const criterion = used('sum');
        const before = stateOf(criterion);
        const call = () =>
          isFirst
            ? criterion.collectGrad(wrong(grads), labels as never)
            : criterion.collectGrad(new Float32Array(6).fill(1), wrong(labels));
        if (refusalOf(call)) expectSameState(stateOf(criterion), before);
        criterion.dispose();
      }),
      500,
    );
  });

  test('by loadStateDict and mergeStatistics', () => {
    const given = fc.oneof({ weight: 4, arbitrary: dictionaries }, { weight: 1, arbitrary: nasty });
    const options = fc.option(fc.oneof(fc.record({ prefix: nasty }), nasty), {
      nil: undefined,
      freq: 3,
    });
    check(
      fc.property(given, options, fc.boolean(), (state, option, isMerge) => {
        const criterion = used('sum');
        const before = stateOf(criterion);
        const call = () => {
          if (isMerge) criterion.mergeStatistics(wrong(state));
          else criterion.loadStateDict(wrong(state), wrong(option));
        };
        if (refusalOf(call)) expectSameState(stateOf(criterion), before);
        else criterion.loadStateDict(criterion.stateDict());
        criterion.dispose();
      }),
      1500,
    );
  });

  test('by loadState', () => {
    check(
      fc.property(nasty, nasty, (path, option) => {
        const criterion = used('sum');
        const before = stateOf(criterion);
        refusalOf(() => {
          criterion.loadState(wrong(path), wrong(option));
        });
        refusalOf(() => {
          criterion.loadState(__filename, wrong({ prefix: option }));
        });
        expectSameState(stateOf(criterion), before);
        criterion.dispose();
      }),
      300,
    );
  });

  test('by the quality losses', () => {
    check(
      fc.property(nasty, nasty, (labels, quality) => {
        const logits = Float32Array.of(1, -1, 0.5, 2, -3, 0);
        for (const Loss of [QualityFocalLoss, EqualizedQualityFocalLoss]) {
          const criterion = new Loss({ numClasses: CLASSES });
          refusalOf(() => criterion.forward(logits, [1, 0, 2], wrong({ quality })));
          refusalOf(() => criterion.forward(logits, wrong(labels), { quality: [1, 0, 0.5] }));
          criterion.dispose();
        }
      }),
      300,
    );
  });

  test('by the constructors', () => {
    const options = fc.dictionary(
      fc.constantFrom('numClasses', 'gamma', 'alpha', 'classWeight', 'ignoreIndex', 'reduction'),
      nasty,
    );
    check(
      fc.property(fc.oneof(options, nasty), fc.boolean(), (given, withClasses) => {
        const isWhole = !withClasses || typeof given !== 'object';
        for (const Loss of [FocalLoss, EqualizedFocalLoss, EqualizationLossV2]) {
          refusalOf(() => {
            new Loss(wrong(isWhole ? given : { numClasses: 3, ...given })).dispose();
          });
        }
      }),
      300,
    );
  });

  test('by what needs no criterion', () => {
    check(
      fc.property(nasty, nasty, nasty, (one, two, three) => {
        refusalOf(() => functional.sigmoidFocalLoss(wrong(one), wrong(two), wrong(three)));
        const logits = new Float32Array(6);
        refusalOf(() =>
          functional.sigmoidFocalLossWithGrad(logits, logits.slice(), wrong({ grad: one })),
        );
        refusalOf(() => repeatFactors(wrong(one), wrong(three)));
        refusalOf(() => repeatFactors([wrong(two)]));
        refusalOf(() => effectiveNumberWeights(wrong(one), wrong(two)));
        refusalOf(() => inverseFrequencyWeights(wrong(one), wrong(two)));
        refusalOf(() => weightsByLabel(wrong(one), wrong(two), wrong(three)));
        refusalOf(() => federatedClasses(wrong(one), wrong(two)));
        refusalOf(() => federatedClasses([1], wrong({ counts: one, size: two, step: three })));
        refusalOf(() => new EqualizedFocalLoss({ numClasses: 2 }).diagnose(wrong(one)));
        refusalOf(() => new RepeatFactorSampler(wrong({ repeatFactors: one, seed: 1 })));
        refusalOf(() => CudaTensor.empty(wrong(one), wrong(three)));
        refusalOf(() => CudaTensor.fromHost(wrong(one)));
        refusalOf(() => CudaTensor.wrap(wrong({ pointer: 64n, shape: one })));
      }),
      300,
    );
  });
});
