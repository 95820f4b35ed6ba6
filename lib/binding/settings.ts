import { totalmem } from 'node:os';
import { EflArgumentError } from '../errors';
import type { NativeAddon } from './addon';

/** Every environment variable that this package reads; the last three are for builds and benchmarks. */
export const variables: readonly string[] = [
  'EFL_NUM_THREADS',
  'EFL_QUEUE_BYTES',
  'EFL_CPU_ISA',
  'EFL_BINARY',
  'EFL_DISABLE_CUDA',
  'EFL_CUDA_LIBRARY',
  'EFL_DEVICE',
  'EFL_CUDA',
  'EFL_BENCH_PYTHON',
  'EFL_BENCH_SCRATCH',
];

/** What the environment variables say, checked. */
export interface Settings {
  /**
   * `EFL_NUM_THREADS`: threads a call may use; default: the cores this process may run on, or what
   * the quota of its container pays for.
   */
  readonly threads: number;
  /** `EFL_CPU_ISA`: kernels to use instead of the best ones. */
  readonly cpuKernels: string | undefined;
  /**
   * `EFL_QUEUE_BYTES`: what the outstanding asynchronous calls of the process may hold; default: a
   * quarter of its memory.
   */
  readonly queueBytes: number;
}

const maxThreads = 1024;

export function readSettings(native: NativeAddon, environment = process.env): Settings {
  return {
    threads: readThreads(environment['EFL_NUM_THREADS'], native),
    cpuKernels: environment['EFL_CPU_ISA'] || undefined,
    queueBytes: readQueueBytes(environment['EFL_QUEUE_BYTES']),
  };
}

function readThreads(text: string | undefined, native: NativeAddon): number {
  if (text === undefined || text === '') {
    return Math.min(native.availableProcessors(), maxThreads);
  }
  const threads = Number(text);
  if (!Number.isInteger(threads) || threads < 1 || threads > maxThreads) {
    throw new EflArgumentError(
      'EFL_NUM_THREADS',
      `an integer from 1 to ${maxThreads}`,
      `'${text}'`,
    );
  }
  return threads;
}

function readQueueBytes(text: string | undefined): number {
  if (text === undefined || text === '') return Math.floor(memoryOfProcess() / 4);
  const bytes = Number(text);
  if (!Number.isSafeInteger(bytes) || bytes < 1) {
    throw new EflArgumentError('EFL_QUEUE_BYTES', 'an integer >= 1', `'${text}'`);
  }
  return bytes;
}

/** That of the machine, or of the container. */
function memoryOfProcess(): number {
  const constrained = process.constrainedMemory(); // 0 or huge: no limit
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
