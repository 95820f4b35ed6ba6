import { EflBackendUnavailableError, type BackendFailure } from './errors';
import { addon } from './binding/load';
import { reject } from './validation';

/** A backend and whether it can be used here. */
export interface BackendStatus {
  readonly name: 'cpu' | 'cuda';
  readonly available: boolean;
  /** Why it cannot be used; absent where it can. */
  readonly reason?: string;
  /** What it chose on this machine, or what is missing. */
  readonly detail: string;
}

/** Where host arrays are computed: `'auto'` takes the best backend there is. */
export type Device = 'auto' | 'cpu' | 'cuda' | `cuda:${number}`;

/**
 * Every backend this package knows, with its status on this machine. Does not throw: what keeps the
 * addon from loading is the CPU backend's reason.
 */
export function backends(): BackendStatus[] {
  return [cpuStatus(), cudaStatus()];
}

function cpuStatus(): BackendStatus {
  try {
    const threads = addon().cpuThreads();
    const detail = `${addon().cpuKernels()} kernels, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
    return { name: 'cpu', available: true, detail };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const { reason, code } = error as { reason?: string; code?: string };
    return { name: 'cpu', available: false, reason: reason ?? code ?? 'unknown', detail };
  }
}

function cudaFailure(): BackendFailure {
  return process.env['EFL_DISABLE_CUDA'] ? 'disabled' : 'not-built';
}

const cudaExplanation: Record<BackendFailure, string> = {
  'not-built': 'this version of the package has no CUDA backend yet',
  disabled: 'EFL_DISABLE_CUDA is set',
};

export function cudaStatus(): BackendStatus {
  const reason = cudaFailure();
  return { name: 'cuda', available: false, reason, detail: cudaExplanation[reason] };
}

/** Checks a `device` option; throws where a backend asked for by name cannot be used. */
export function resolveDevice(device: unknown): Device {
  if (device === undefined || device === 'auto' || device === 'cpu') return device ?? 'auto';
  if (typeof device !== 'string' || !/^cuda(:\d+)?$/.test(device)) {
    reject('device', "'auto', 'cpu', 'cuda' or 'cuda:<number>'", device);
  }
  const reason = cudaFailure();
  throw new EflBackendUnavailableError(
    'cuda',
    reason,
    `CUDA backend unavailable: ${cudaExplanation[reason]}. ` +
      "The CPU backend works; pass device: 'auto' to use it.",
  );
}
