import { availableParallelism } from 'node:os';
import { backends } from '../../lib';
import { expectSuccess, root, runFixture, runNode } from './child';

interface Results {
  readonly digest: string;
  readonly losses: number[];
  readonly negative: number[];
}

async function results(env: Record<string, string>, reduction = 'sum'): Promise<Results> {
  const ended = await runFixture('hash-results.cjs', [reduction], { env });
  expectSuccess(ended);
  return JSON.parse(ended.stdout) as Results;
}

describe('EFL_NUM_THREADS', () => {
  test.each(['sum', 'mean', 'none'])(
    "loss, gradient and statistics are the same to the last bit for 1, 2, 3 and 8 threads ('%s')",
    async (reduction) => {
      const one = await results({ EFL_NUM_THREADS: '1' }, reduction);
      for (const threads of ['2', '3', '8']) {
        expect(await results({ EFL_NUM_THREADS: threads }, reduction)).toEqual(one);
      }
    },
  );

  test('is reported by backends()', async () => {
    const { stdout } = await runNode(['-p', 'JSON.stringify(require(".").backends()[0].detail)'], {
      env: { EFL_NUM_THREADS: '3' },
    });
    expect(stdout).toContain('3 threads');
  });

  test('is by default no more than the cores that the process may run on', async () => {
    const { stdout } = await runNode(['-p', 'require(".").backends()[0].detail'], {
      env: { EFL_NUM_THREADS: '' },
    });
    const threads = Number(/(\d+) thread/.exec(stdout)?.[1]);
    expect(threads).toBeGreaterThanOrEqual(1);
    expect(threads).toBeLessThanOrEqual(availableParallelism());
  });

  test.each(['0', '-1', '2.5', 'many'])('%s is a typed error', async (threads) => {
    const script =
      'try { new (require(".").FocalLoss)({ numClasses: 2 }) } catch (e) { console.log(e.name, e.argument) }';
    const { stdout } = await runNode(['-e', script], { env: { EFL_NUM_THREADS: threads } });
    expect(stdout.trim()).toBe('EflArgumentError EFL_NUM_THREADS');
  });
});

describe('EFL_CPU_ISA', () => {
  const best = backends()[0]!.detail.split(' ')[0]!;
  const all = ['avx512', 'avx2', 'baseline', 'scalar'];
  const usable = all.includes(best) ? all.slice(all.indexOf(best)) : all;

  test('every set of kernels this machine can run gives the same to 1e-6', async () => {
    const reference = await results({ EFL_CPU_ISA: 'baseline' });
    for (const kernels of usable) {
      const { losses, negative } = await results({ EFL_CPU_ISA: kernels });
      losses.forEach((loss, step) => {
        expect(Math.abs(loss / reference.losses[step]! - 1)).toBeLessThan(1e-6);
      });
      negative.forEach((sum, j) => {
        expect(Math.abs(sum / reference.negative[j]! - 1)).toBeLessThan(1e-6);
      });
    }
  });

  test.each(usable)('%s is the same for 1 and 3 threads', async (kernels) => {
    const one = await results({ EFL_CPU_ISA: kernels, EFL_NUM_THREADS: '1' });
    expect(await results({ EFL_CPU_ISA: kernels, EFL_NUM_THREADS: '3' })).toEqual(one);
  });

  test('of a worker leaves the other threads as they are', async () => {
    const script = `
      const { Worker } = require('node:worker_threads');
      const { backends, FocalLoss } = require('.');
      const before = backends()[0].detail;
      const code = 'const { backends } = require(${JSON.stringify(root)}); ' +
        'require("node:worker_threads").parentPort.postMessage(backends()[0].detail)';
      new Worker(code, { eval: true, env: { EFL_CPU_ISA: 'baseline', EFL_NUM_THREADS: '1' } })
        .on('message', (detail) => console.log(detail, backends()[0].detail === before));`;
    const { stdout } = await runNode(['-e', script]);
    expect(stdout).toBe('baseline kernels, 1 thread true\n');
  });
});
