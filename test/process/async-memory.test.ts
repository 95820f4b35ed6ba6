import { expectSuccess, root, runFixture, runNode, type ChildOptions } from './child';
import { hasTools } from './tools';

const minutes = 60_000;
const megabytes = (count: number): number => count * 1e6;

/** The slowest way there is, so that calls are under way when something happens to them. */
const slowly = { EFL_NUM_THREADS: '1', EFL_CPU_ISA: 'scalar' };

async function find<T>(task: string, env?: ChildOptions['env']): Promise<T> {
  const ended = await runFixture('async-memory.cjs', [task], env && { env });
  expectSuccess(ended);
  return JSON.parse(ended.stdout) as T;
}

interface Refusal {
  readonly status: string;
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

interface Kept {
  readonly kept: number;
  readonly left: number;
}

describe('the memory of copies', () => {
  test('is freed by dispose, without a garbage collection', async () => {
    const { kept, left } = await find<Kept>('dispose');
    expect(kept).toBeGreaterThan(megabytes(50));
    expect(left).toBeLessThan(megabytes(10));
  });

  test('of calls under way is freed after dispose, when they have ended', async () => {
    const found = await find<Kept & { held: number; results: Refusal[] }>(
      'dispose-under-way',
      slowly,
    );
    expect(found.results.slice(2)).toEqual([
      expect.objectContaining({ code: 'EFL_DISPOSED' }),
      expect.objectContaining({ code: 'EFL_DISPOSED' }),
    ]);
    expect(found.kept).toBeGreaterThan(megabytes(80));
    expect(found.left).toBeLessThan(megabytes(10));
    expect(found.held).toBe(0);
  });

  test('is freed when it has not been used for a while', async () => {
    const found = await find<Kept & { afterOne: number }>('unused');
    expect(found.afterOne).toBeGreaterThan(megabytes(50));
    expect(found.left).toBeLessThan(megabytes(10));
  });

  if (hasTools('page faults and limits of a process', 'prlimit')) {
    test('is fresh in the first call only', async () => {
      const { first, later } = await find<{ first: number; later: number }>('reuse');
      // 32 MB are 8,000 pages, or a few large ones.
      expect(first).toBeGreaterThan(later + 10);
      expect(later).toBeLessThan(100);
    });

    test('is freed where an allocation fails otherwise', async () => {
      expect(await find('pressure')).toEqual({ status: 'fulfilled' });
    });

    test.each(['criterion', 'functional', 'sampler'])(
      'is freed where an allocation fails otherwise: of a %s',
      async (what) => {
        expect(await find(`pressure-${what}`)).toBeNull();
      },
    );
  }
});

describe('calls that hold many bytes', () => {
  const EFL_QUEUE_BYTES = String(megabytes(20));

  test('are refused beyond EFL_QUEUE_BYTES, but for one alone, and accepted later', async () => {
    const found = await find<{
      held: number;
      results: (Refusal & { bound: string; limit: number; outstanding: number })[];
      left: number;
      alone: Refusal;
      again: Refusal;
      after: number;
    }>('bytes', { EFL_QUEUE_BYTES });
    const states = found.results.map(({ status }) => status);
    expect(states).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected', 'rejected']);
    expect(found.results[2]).toMatchObject({
      name: 'EflQueueFullError',
      code: 'EFL_QUEUE_FULL',
      bound: 'bytes',
      limit: megabytes(20),
      outstanding: found.held,
      message: expect.stringContaining(`hold ${found.held} bytes`) as string,
    });
    expect(found.left).toBe(1e6); // a refused call with transfer has taken nothing
    expect(found.alone.status).toBe('fulfilled');
    expect(found.again.status).toBe('fulfilled');
    expect(found.after).toBe(0);
  });

  test('of a worker count in the process, until it is terminated', async () => {
    const found = await find<{ during: number; after: number }>('worker', slowly);
    expect(found.during).toBeGreaterThan(megabytes(8 * 16));
    expect(found.after).toBe(0);
  });

  test.each(['0', '-1', '1.5', 'much', '1e400'])('EFL_QUEUE_BYTES=%s is refused', async (value) => {
    const { status, stderr } = await runNode(
      ['-e', `new (require(${JSON.stringify(root)}).FocalLoss)({ numClasses: 2 })`],
      { env: { EFL_QUEUE_BYTES: value } },
    );
    expect(status).toBe(1);
    expect(stderr).toContain(`EFL_QUEUE_BYTES: expected an integer >= 1, received '${value}'`);
  });
});

if (hasTools('limits of a process', 'prlimit')) {
  describe('where the system has nothing left', () => {
    test('no thread for asynchronous calls is an EflError, and nothing has changed', async () => {
      const found = await find<{ refused: Refusal; steps: number; later: Refusal } & object>(
        'no-thread',
      );
      expect(found.refused).toMatchObject({ name: 'EflError', code: 'EFL_NO_THREAD' });
      expect(found).toMatchObject({ steps: 1, stepsLater: 2, held: 0 });
      expect(found.later.status).toBe('fulfilled'); // the logits had been left to the caller
    });

    test(
      'constructors, getters and calls throw an EflOutOfMemoryError, and nothing has changed',
      async () => {
        const { steps, held, ...refusals } = await find<Record<string, unknown>>('out-of-memory');
        expect(Object.keys(refusals)).toHaveLength(6);
        for (const refusal of Object.values(refusals)) {
          expect(refusal).toMatchObject({
            name: 'EflOutOfMemoryError',
            code: 'EFL_OUT_OF_MEMORY',
          });
        }
        expect({ steps, held }).toEqual({ steps: 1, held: 0 });
      },
      2 * minutes,
    );
  });
}

test(
  'criteria dropped in a loop are freed although the event loop does not turn',
  async () => {
    const { peak } = await find<{ peak: number }>('dropped');
    // All of them come to 1.6 GB.
    expect(peak).toBeLessThan(megabytes(600));
  },
  2 * minutes,
);
