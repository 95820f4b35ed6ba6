import { getEventListeners } from 'node:events';
import { EflAbortError, EflDisposedError, EflQueueFullError, EqualizedFocalLoss } from '../../lib';
import {
  expectSameOutput,
  expectSameState,
  makeSample,
  occupy,
  rejectionOf,
  stateOf,
} from '../reference/harness';

const CLASSES = 64;
/** Calls that may be outstanding in an environment. */
const LIMIT = 1024;

function equalized(): EqualizedFocalLoss {
  return new EqualizedFocalLoss({ numClasses: CLASSES });
}

const small = makeSample(402, 2, CLASSES);

describe('an AbortSignal', () => {
  test('aborted before the call rejects it and leaves the state untouched', async () => {
    const criterion = equalized();
    const reason = { why: 'not needed' };
    const signal = AbortSignal.abort(reason);
    for (const promise of [
      criterion.forwardAsync(small.logits, small.labels, { signal }),
      criterion.forwardBackwardAsync(small.logits, small.labels, { signal }),
      criterion.collectGradAsync(small.logits, small.labels, { signal }),
    ]) {
      const error = await rejectionOf(promise);
      expect(error).toBeInstanceOf(EflAbortError);
      expect(error).toMatchObject({ name: 'AbortError', code: 'EFL_ABORTED' });
      expect((error as EflAbortError).cause).toBe(reason);
    }
    expectSameState(stateOf(criterion), stateOf(equalized()));
  });

  test('aborted while the call waits rejects it; the calls around it count', async () => {
    const criterion = equalized();
    const busy = occupy(criterion);
    const controller = new AbortController();
    const { signal } = controller;
    const grad = new Float32Array(small.logits.length).fill(7);
    const first = criterion.forwardBackwardAsync(small.logits, small.labels);
    const aborted = rejectionOf(
      criterion.forwardBackwardAsync(small.logits, small.labels, { signal, grad }),
    );
    const second = criterion.forwardBackwardAsync(small.logits, small.labels);
    controller.abort();

    const error = await aborted;
    expect(error).toBeInstanceOf(EflAbortError);
    expect((error as EflAbortError).cause).toBe(signal.reason);
    expect(grad.every((value) => value === 7)).toBe(true);
    const blocking = equalized();
    expectSameOutput(await first, blocking.forwardBackward(small.logits, small.labels));
    expectSameOutput(await second, blocking.forwardBackward(small.logits, small.labels));
    expectSameState(stateOf(criterion), stateOf(blocking));
    expect(await busy).toHaveLength(16);
  });

  test('of one call leaves calls with other signals alone', async () => {
    const criterion = equalized();
    const busy = occupy(criterion);
    const controllers = Array.from({ length: 9 }, () => new AbortController());
    const calls = controllers.map(({ signal }) =>
      criterion.forwardBackwardAsync(small.logits, small.labels, { signal }),
    );
    const settled = Promise.allSettled(calls);
    controllers.forEach((controller, i) => {
      if (i % 3 === 0) {
        controller.abort();
      }
    });
    const states = (await settled).map(({ status }) => status);
    expect(states).toEqual(states.map((_, i) => (i % 3 === 0 ? 'rejected' : 'fulfilled')));
    expect(criterion.statistics.steps).toBe(6);
    expect(await busy).toHaveLength(16);
  });

  test('may cancel many calls at a time', async () => {
    const criterion = equalized();
    const busy = occupy(criterion);
    const controller = new AbortController();
    const { signal } = controller;
    const calls = Array.from({ length: 40 }, () =>
      rejectionOf(criterion.forwardBackwardAsync(small.logits, small.labels, { signal })),
    );
    controller.abort('all of them');
    for (const error of await Promise.all(calls)) {
      expect(error).toBeInstanceOf(EflAbortError);
      expect((error as EflAbortError).cause).toBe('all of them');
    }
    await busy;
    expect(criterion.statistics.steps).toBe(0);
  });

  test('aborted after the call has ended changes nothing', async () => {
    const criterion = equalized();
    const controller = new AbortController();
    const { signal } = controller;
    const output = await criterion.forwardBackwardAsync(small.logits, small.labels, { signal });
    controller.abort();
    expect(Number.isFinite(output.loss)).toBe(true);
    await criterion.synchronize();
    expect(criterion.statistics.steps).toBe(1);
  });

  test('that takes no listener rejects the call when the call has ended', async () => {
    const criterion = equalized();
    const busy = occupy(criterion);
    const { signal } = new AbortController();
    signal.addEventListener = () => {
      throw new Error('no listeners here');
    };
    const grad = new Float32Array(small.logits.length).fill(7);
    const call = criterion.forwardBackwardAsync(small.logits, small.labels, { signal, grad });
    await expect(call).rejects.toThrow('no listeners here');
    expect(grad.every((value) => value === 7)).toBe(true);
    expect(criterion.statistics.steps).toBe(0);
    expect(await busy).toHaveLength(16);
  });

  test('that takes no listener leaves no trace of a call with nothing before it', async () => {
    const criterion = equalized();
    const { signal } = new AbortController();
    signal.addEventListener = () => {
      const end = Date.now() + 20; // in which the executor would have computed the call
      while (Date.now() < end);
      throw new Error('no listeners here');
    };
    const grad = new Float32Array(small.logits.length).fill(7);
    const call = criterion.forwardBackwardAsync(small.logits, small.labels, { signal, grad });
    await expect(call).rejects.toThrow('no listeners here');
    expect(grad.every((value) => value === 7)).toBe(true);
    expect(criterion.statistics.steps).toBe(0);
  });

  test('that does not give the listener back leaves the call its result', async () => {
    const criterion = equalized();
    const { signal } = new AbortController();
    signal.removeEventListener = () => {
      throw new Error('listeners stay');
    };
    await criterion.forwardBackwardAsync(small.logits, small.labels, { signal });
    expect(criterion.statistics.steps).toBe(1);
  });

  test('that disposes of the criterion as it takes the listener is told so', async () => {
    const { signal } = new AbortController();
    for (const name of ['forwardBackwardAsync', 'collectGradAsync'] as const) {
      const criterion = equalized();
      signal.addEventListener = () => {
        criterion.dispose();
      };
      const call = criterion[name](small.logits, small.labels, { signal });
      expect(await rejectionOf(call)).toBeInstanceOf(EflDisposedError);
    }
  });

  test('that fills the queue as it takes the listener finds no room', async () => {
    const criterion = equalized();
    const others: Promise<unknown>[] = [occupy(criterion)];
    const { signal } = new AbortController();
    signal.addEventListener = () => {
      for (let i = 0; i <= LIMIT; i++) {
        others.push(criterion.forwardAsync(small.logits, small.labels));
      }
    };
    const call = criterion.forwardBackwardAsync(small.logits, small.labels, { signal });
    const settled = Promise.allSettled(others);
    expect(await rejectionOf(call)).toBeInstanceOf(EflQueueFullError);
    await settled;
    expect(criterion.statistics.steps).toBeLessThanOrEqual(16);
  });

  test('that lives on keeps no listener of calls that have ended', async () => {
    const criterion = equalized();
    const { signal } = new AbortController();
    await Promise.all(
      Array.from({ length: 5 }, () =>
        criterion.forwardBackwardAsync(small.logits, small.labels, { signal }),
      ),
    );
    await rejectionOf(criterion.forwardAsync(small.logits, [99, 0], { signal }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('dispose with calls under way', () => {
  test('rejects those that wait; every call settles', async () => {
    const criterion = equalized();
    const waiting = [
      occupy(criterion),
      ...Array.from({ length: 20 }, () =>
        criterion.forwardBackwardAsync(small.logits, small.labels),
      ),
    ];
    const settled = Promise.allSettled(waiting);
    criterion.dispose();
    const results = await settled;
    for (const result of results.slice(1)) {
      expect(result).toMatchObject({ status: 'rejected' });
      expect((result as PromiseRejectedResult).reason).toBeInstanceOf(EflDisposedError);
    }
  });

  test('lets calls of other criteria go on', async () => {
    const disposed = equalized();
    const other = equalized();
    const busy = occupy(other);
    const lost = rejectionOf(disposed.forwardBackwardAsync(small.logits, small.labels));
    const kept = other.forwardBackwardAsync(small.logits, small.labels);
    disposed.dispose();
    expect(await lost).toBeInstanceOf(EflDisposedError);
    expectSameOutput(await kept, equalized().forwardBackward(small.logits, small.labels));
    expect(await busy).toHaveLength(16);
  });

  test('rejects synchronize', async () => {
    const criterion = equalized();
    const busy = occupy(criterion);
    const settled = Promise.allSettled([busy, criterion.synchronize()]);
    criterion.dispose();
    const [, synchronized] = await settled;
    expect(synchronized).toMatchObject({ status: 'rejected' });
  });
});

describe('a full queue', () => {
  interface Full {
    readonly criterion: EqualizedFocalLoss;
    /** What became of the calls that filled it, and of those beyond. */
    readonly flood: Promise<PromiseSettledResult<unknown>[]>;
  }

  /** Makes more calls at once than the queue takes, and lets it run empty in the end. */
  async function withFullQueue(use: (full: Full) => void | Promise<void>): Promise<void> {
    const criterion = equalized();
    const busy = occupy(criterion);
    const flood = Promise.allSettled(
      Array.from({ length: LIMIT + 300 }, () =>
        criterion.forwardBackwardAsync(small.logits, small.labels),
      ),
    );
    try {
      await use({ criterion, flood });
    } finally {
      await busy;
      await flood;
    }
  }

  function countTaken(results: readonly PromiseSettledResult<unknown>[]): number {
    return results.filter(({ status }) => status === 'fulfilled').length;
  }

  test('refuses further calls, counts the others and recovers', async () => {
    await withFullQueue(async ({ criterion, flood }) => {
      const results = await flood;
      const refused = results.filter(({ status }) => status === 'rejected');
      const taken = countTaken(results);
      expect(refused.length).toBeGreaterThan(0);
      expect(taken).toBeGreaterThanOrEqual(LIMIT - 32);
      for (const { reason } of refused as PromiseRejectedResult[]) {
        expect(reason).toBeInstanceOf(EflQueueFullError);
        expect(reason).toMatchObject({ code: 'EFL_QUEUE_FULL', name: 'EflQueueFullError' });
        expect(reason).toMatchObject({ bound: 'calls', limit: LIMIT, outstanding: LIMIT });
      }
      expect(criterion.statistics.steps).toBe(taken);
      const output = await criterion.forwardBackwardAsync(small.logits, small.labels);
      expect(output.grad).toHaveLength(small.logits.length);
      expect(criterion.statistics.steps).toBe(taken + 1);
    });
  });

  test('does not keep synchronize from waiting', async () => {
    await withFullQueue(async ({ criterion, flood }) => {
      await expect(criterion.synchronize()).resolves.toBeUndefined();
      expect(criterion.statistics.steps).toBe(countTaken(await flood));
    });
  });

  test('does not keep synchronous calls from waiting', async () => {
    await withFullQueue(async ({ criterion, flood }) => {
      criterion.forwardBackward(small.logits, small.labels);
      const { steps } = criterion.statistics;
      expect(steps).toBe(countTaken(await flood) + 1);
    });
  });

  test('leaves the logits of a refused call with transfer to the caller', async () => {
    await withFullQueue(async ({ criterion }) => {
      const logits = small.logits.slice();
      const error = await rejectionOf(
        criterion.forwardBackwardAsync(logits, small.labels, { transfer: true }),
      );
      expect(error).toBeInstanceOf(EflQueueFullError);
      expect(logits).toHaveLength(small.logits.length);
    });
  });

  test('keeps no listener of the calls it refuses', async () => {
    await withFullQueue(async ({ criterion }) => {
      const { signal } = new AbortController();
      const call = criterion.forwardAsync(small.logits, small.labels, { signal });
      expect(await rejectionOf(call)).toBeInstanceOf(EflQueueFullError);
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    });
  });
});
