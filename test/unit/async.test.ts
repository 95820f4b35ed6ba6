import { EqualizedFocalLoss, FocalLoss } from '../../lib';
import { expectSame } from '../reference/compare';
import {
  expectArgumentError,
  expectSameOutput,
  expectSameState,
  makeSample,
  occupy,
  rejectionOf,
  stateOf,
} from '../reference/harness';
import type { ImplementationOutput, Sample } from '../reference/harness';

const CLASSES = 21;

function equalized(): EqualizedFocalLoss {
  return new EqualizedFocalLoss({ numClasses: CLASSES });
}

function samples(count: number, rows = 30): Sample[] {
  return Array.from({ length: count }, (_, i) => makeSample(181 + i, rows, CLASSES));
}

/** The outputs of these calls made one after another on a criterion of their own. */
function sequence(list: readonly Sample[], criterion = equalized()): ImplementationOutput[] {
  return list.map(({ logits, labels }) => criterion.forwardBackward(logits, labels));
}

function expectSameOutputs(
  outputs: readonly ImplementationOutput[],
  expected: readonly ImplementationOutput[],
): void {
  expect(outputs).toHaveLength(expected.length);
  outputs.forEach((output, i) => {
    expectSameOutput(output, expected[i]!);
  });
}

describe('asynchronous calls', () => {
  test('give the bits of the synchronous ones for a large input', async () => {
    const { logits, labels } = makeSample(193, 1500, 257);
    const criterion = new FocalLoss({ numClasses: 257 });
    expectSameOutput(
      await criterion.forwardBackwardAsync(logits, labels),
      criterion.forwardBackward(logits, labels),
    );
  });

  test('of forward neither collect nor have a gradient', async () => {
    const [{ logits, labels }] = samples(1) as [Sample];
    const criterion = equalized();
    const output = await criterion.forwardAsync(logits, labels);
    expect(output).not.toHaveProperty('grad');
    expect(criterion.statistics.steps).toBe(0);
  });

  test('handle empty input and ignored rows', async () => {
    const criterion = equalized();
    expect((await criterion.forwardBackwardAsync(new Float32Array(0), [])).loss).toBe(0);
    const ignored = await criterion.forwardBackwardAsync(new Float32Array(CLASSES).fill(1), [-1]);
    expectSame('grad', ignored.grad, new Float32Array(CLASSES));
    expect(criterion.statistics.steps).toBe(0);
  });

  test('leave the logits of the caller alone', async () => {
    const [{ logits, labels }] = samples(1) as [Sample];
    const kept = logits.slice();
    await equalized().forwardBackwardAsync(logits, labels);
    expectSame('logits', logits, kept);
  });

  test('return a promise and do not compute before the call returns', async () => {
    const criterion = equalized();
    const { logits, labels } = makeSample(195, 3000, CLASSES);
    let settled = false;
    const promise = criterion.forwardBackwardAsync(logits, labels).then(() => {
      settled = true;
    });
    expect(promise).toHaveProperty('then');
    await Promise.resolve();
    expect(settled).toBe(false);
    await promise;
    expect(settled).toBe(true);
  });
});

describe('the order of asynchronous calls', () => {
  const list = samples(60);

  test('is the call order, however many there are at a time', async () => {
    const criterion = equalized();
    const outputs = await Promise.all(
      list.map(({ logits, labels }) => criterion.forwardBackwardAsync(logits, labels)),
    );
    const expected = equalized();
    expectSameOutputs(outputs, sequence(list, expected));
    expectSameState(stateOf(criterion), stateOf(expected));
  });

  test('holds for calls of different sizes', async () => {
    const mixed = Array.from({ length: 12 }, (_, i) =>
      makeSample(250 + i, i % 3 === 0 ? 2500 : 3, CLASSES),
    );
    const criterion = equalized();
    const outputs = await Promise.all(
      mixed.map(({ logits, labels }) => criterion.forwardBackwardAsync(logits, labels)),
    );
    expectSameOutputs(outputs, sequence(mixed));
  });

  test('holds across forward, forwardBackward and collectGrad', async () => {
    const [a, b, c, d] = samples(4) as [Sample, Sample, Sample, Sample];
    const criterion = equalized();
    const results = await Promise.all([
      criterion.forwardBackwardAsync(a.logits, a.labels),
      criterion.forwardAsync(b.logits, b.labels),
      criterion.collectGradAsync(c.logits, c.labels),
      criterion.forwardAsync(d.logits, d.labels),
    ] as const);
    const blocking = equalized();
    expectSameOutput(results[0], blocking.forwardBackward(a.logits, a.labels));
    expectSameOutput(results[1], blocking.forward(b.logits, b.labels));
    expect(results[2]).toEqual(blocking.collectGrad(c.logits, c.labels));
    expectSameOutput(results[3], blocking.forward(d.logits, d.labels));
    expectSameState(stateOf(criterion), stateOf(blocking));
  });

  test('is that of each criterion when several take turns', async () => {
    const criteria = [equalized(), equalized(), equalized()];
    const outputs = await Promise.all(
      list
        .slice(0, 12)
        .flatMap(({ logits, labels }) =>
          criteria.map((criterion) => criterion.forwardBackwardAsync(logits, labels)),
        ),
    );
    const expected = sequence(list.slice(0, 12));
    criteria.forEach((_, turn) => {
      expectSameOutputs(
        outputs.filter((__, i) => i % criteria.length === turn),
        expected,
      );
    });
  });

  test.each<[string, (criterion: EqualizedFocalLoss, sample: Sample) => unknown]>([
    ['forward', (criterion, { logits, labels }) => criterion.forward(logits, labels).loss],
    [
      'forwardBackward',
      (criterion, { logits, labels }) => criterion.forwardBackward(logits, labels).loss,
    ],
    ['collectGrad', (criterion, { logits, labels }) => criterion.collectGrad(logits, labels)],
    ['stateDict', (criterion) => criterion.stateDict()],
  ])('makes a synchronous %s wait for the calls before it', async (_, use) => {
    const last = makeSample(299, 30, CLASSES);
    const criterion = equalized();
    const promises = list.map(({ logits, labels }) =>
      criterion.forwardBackwardAsync(logits, labels),
    );
    const result = use(criterion, last);
    const blocking = equalized();
    const expected = sequence(list, blocking);
    expect(result).toEqual(use(blocking, last));
    expectSameState(stateOf(criterion), stateOf(blocking));
    expectSameOutputs(await Promise.all(promises), expected);
  });

  test('makes reset and loadStateDict wait for the calls before them', async () => {
    const criterion = equalized();
    const before = list.map(({ logits, labels }) => criterion.forwardBackwardAsync(logits, labels));
    criterion.reset();
    expectSameState(stateOf(criterion), stateOf(equalized()));
    const after = list.map(({ logits, labels }) => criterion.forwardBackwardAsync(logits, labels));
    criterion.loadStateDict(equalized().stateDict());
    expectSameState(stateOf(criterion), stateOf(equalized()));
    const expected = sequence(list);
    expectSameOutputs(await Promise.all(before), expected);
    expectSameOutputs(await Promise.all(after), expected);
    expect(criterion.statistics.steps).toBe(0);
  });

  test('is awaited by synchronize', async () => {
    const criterion = equalized();
    const promises = list.map(({ logits, labels }) =>
      criterion.forwardBackwardAsync(logits, labels),
    );
    await criterion.synchronize();
    expect(criterion.statistics.steps).toBe(list.length);
    expect(await Promise.all(promises)).toHaveLength(list.length);
  });

  test('leaves nothing to wait for in synchronize of an idle criterion', async () => {
    const criterion = equalized();
    await expect(criterion.synchronize()).resolves.toBeUndefined();
    await expect(new FocalLoss({ numClasses: 1 }).synchronize()).resolves.toBeUndefined();
    expectSameState(stateOf(criterion), stateOf(equalized()));
  });

  test('goes on after a call that was refused', async () => {
    const [first, second] = samples(2) as [Sample, Sample];
    const criterion = equalized();
    const outputs = [
      criterion.forwardBackwardAsync(first.logits, first.labels),
      rejectionOf(
        criterion.forwardBackwardAsync(
          first.logits,
          first.labels.map(() => 99),
        ),
      ),
      criterion.forwardBackwardAsync(second.logits, second.labels),
    ] as const;
    expectArgumentError(await outputs[1], 'labels[0]');
    expectSameOutputs([await outputs[0], await outputs[2]], sequence([first, second]));
    expect(criterion.statistics.steps).toBe(2);
  });
});

describe('the arguments of asynchronous calls', () => {
  /** The call waits its turn while its arguments change. */
  async function whileWaiting<T>(call: () => Promise<T>, change: () => void): Promise<T> {
    const busy = occupy(new FocalLoss({ numClasses: CLASSES }), 4);
    const promise = call();
    change();
    await busy;
    return promise;
  }

  test('may be changed right after the call', async () => {
    const { logits, labels } = makeSample(301, 400, CLASSES);
    const settings = { numClasses: CLASSES, reduction: 'none' } as const;
    const call = { gradOutput: logits.map((x) => x / 3), lossScale: 2 };
    const expected = new FocalLoss(settings).forwardBackward(logits, labels, call);
    const criterion = new FocalLoss(settings);
    const output = await whileWaiting(
      () => criterion.forwardBackwardAsync(logits, labels, call),
      () => {
        logits.fill(NaN);
        labels.fill(99);
        call.gradOutput.fill(NaN);
        call.lossScale = NaN;
      },
    );
    expectSameOutput(output, expected);
  });

  test('may be changed right after collectGradAsync', async () => {
    const { logits, labels } = makeSample(302, 400, CLASSES);
    const expected = equalized();
    expected.collectGrad(logits, labels);
    const criterion = equalized();
    await whileWaiting(
      () => criterion.collectGradAsync(logits, labels),
      () => {
        logits.fill(1e9);
        labels.fill(99);
      },
    );
    expectSameState(stateOf(criterion), stateOf(expected));
  });

  test('may be a plain list of labels that changes right after the call', async () => {
    const { logits, labels } = makeSample(303, 400, CLASSES);
    const list = Array.from(labels);
    const criterion = equalized();
    const output = await whileWaiting(
      () => criterion.forwardBackwardAsync(logits, list),
      () => list.fill(99),
    );
    expectSameOutput(output, equalized().forwardBackward(logits, labels));
  });
});

describe('transfer', () => {
  test('takes the buffer of the logits and gives the same result', async () => {
    const { logits, labels } = makeSample(311, 40, CLASSES);
    const expected = equalized().forwardBackward(logits, labels);
    const promise = equalized().forwardBackwardAsync(logits, labels, { transfer: true });
    expect(logits.byteLength).toBe(0);
    expectSameOutput(await promise, expected);
  });

  test('works for views of a larger buffer and for tensors', async () => {
    const { logits, labels } = makeSample(312, 40, CLASSES);
    const expected = equalized().forward(logits, labels);
    const around = new Float32Array(logits.length + 9);
    around.set(logits, 5);
    const data = around.subarray(5, 5 + logits.length);
    const tensor = { data, shape: [40, CLASSES] };
    const output = await equalized().forwardAsync(tensor, labels, { transfer: true });
    expectSameOutput(output, expected);
    expect(around.byteLength).toBe(0);
  });

  test('works with labels and gradOutput in the same buffer', async () => {
    const { logits, labels } = makeSample(313, 40, CLASSES);
    const settings = { numClasses: CLASSES, reduction: 'none' } as const;
    const gradOutput = logits.map((x) => Math.sin(x));
    const expected = new FocalLoss(settings).forwardBackward(logits, labels, { gradOutput });
    const buffer = new ArrayBuffer(8 * logits.length + 160);
    const together = {
      logits: new Float32Array(buffer, 0, logits.length),
      gradOutput: new Float32Array(buffer, 4 * logits.length, logits.length),
      labels: new Int32Array(buffer, 8 * logits.length, 40),
    };
    together.logits.set(logits);
    together.gradOutput.set(gradOutput);
    together.labels.set(labels);
    const output = await new FocalLoss(settings).forwardBackwardAsync(
      together.logits,
      together.labels,
      { gradOutput: together.gradOutput, transfer: true },
    );
    expectSameOutput(output, expected);
  });

  test('false copies', async () => {
    const { logits, labels } = makeSample(314, 4, CLASSES);
    await equalized().forwardAsync(logits, labels, { transfer: false });
    expect(logits).toHaveLength(4 * CLASSES);
  });

  test('takes the gradients of collectGradAsync', async () => {
    const { logits, labels } = makeSample(315, 4, CLASSES);
    const expected = equalized();
    expected.collectGrad(logits, labels);
    const criterion = equalized();
    await criterion.collectGradAsync(logits, labels, { transfer: true });
    expect(logits.byteLength).toBe(0);
    expectSameState(stateOf(criterion), stateOf(expected));
  });

  test('leaves the logits alone in a call that is aborted before it is made', async () => {
    const { logits, labels } = makeSample(317, 4, CLASSES);
    const call = { transfer: true, signal: AbortSignal.abort() };
    expect(await rejectionOf(equalized().forwardAsync(logits, labels, call))).toMatchObject({
      name: 'AbortError',
    });
    expect(logits).toHaveLength(4 * CLASSES);
  });

  test("of memory from Node's pool, which stays where it is, copies or is refused", async () => {
    const { buffer, byteOffset } = Buffer.from(new Array<number>(4 * CLASSES + 4).fill(0));
    const logits = new Float32Array(buffer, 4 * Math.ceil(byteOffset / 4), CLASSES);
    expect(buffer.byteLength).toBeGreaterThan(4 * CLASSES + 4);
    const criterion = equalized();
    const [result] = await Promise.allSettled([
      criterion.forwardBackwardAsync(logits, [1], { transfer: true }),
    ]);
    expect(logits).toHaveLength(CLASSES);
    if (result.status === 'rejected') {
      expectArgumentError(result.reason, /^(transfer|logits)/);
      expect(criterion.statistics.steps).toBe(0);
    } else {
      expectSameOutput(result.value, equalized().forwardBackward(logits, [1]));
    }
  });

  test('takes levels that share a buffer together', async () => {
    const one = new Float32Array(3 * CLASSES).fill(1);
    const tensors = [
      { data: one.subarray(0, CLASSES), shape: [1, CLASSES] },
      { data: one.subarray(CLASSES), shape: [2, CLASSES] },
    ];
    const expected = equalized().forwardBackward(tensors, [[1], [0, 2]]);
    const call = { transfer: true };
    const output = await equalized().forwardBackwardAsync(tensors, [[1], [0, 2]], call);
    expect(one).toHaveLength(0);
    expect(output).toEqual(expected);
  });
});
