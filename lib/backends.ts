import type { DeviceSummary } from './binding/addon';
import { cudaError, describeVersion, deviceLibrary } from './binding/devices';
import { addon } from './binding/load';
import { EflBackendUnavailableError } from './errors';
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
 * addon from loading is the reason of all of them.
 */
export function backends(): BackendStatus[] {
  const cpu = cpuStatus();
  // Without the addon nothing opens the library for GPUs.
  return cpu.available ? [cpu, cudaStatus()] : [cpu, { ...cpu, name: 'cuda' }];
}

/** The status of the one backend that needs no library beside the addon. */
export function cpuStatus(): BackendStatus {
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

function cudaStatus(): BackendStatus {
  const library = deviceLibrary();
  if ('reason' in library) {
    const { reason, explanation } = library;
    return { name: 'cuda', available: false, reason, detail: explanation };
  }
  return { name: 'cuda', available: true, detail: describeDevices(library.summary) };
}

function describeDevices({ name, count, driver, runtime }: DeviceSummary): string {
  const devices = Array.from({ length: count }, (_, index) => {
    const device = addon().describeDevice(index);
    return typeof device === 'number' ? cudaError(device).message : device.name;
  }).join(', ');
  if (name === 'emulated') return `EMULATED on the CPU, for tests: ${devices}`;
  const versions = `CUDA ${describeVersion(runtime)}, driver for ${describeVersion(driver)}`;
  return `${devices} (${versions})`;
}

/**
 * Checks a `device` option; throws where a backend asked for by name cannot be used. What `'auto'`
 * stands for can be set by `EFL_DEVICE`.
 */
export function resolveDevice(device: unknown): Device {
  const isDefault = device === undefined || device === 'auto';
  const wanted = isDefault ? process.env['EFL_DEVICE'] || 'auto' : device;
  const argument = isDefault ? 'EFL_DEVICE' : 'device';
  if (wanted === 'auto' || wanted === 'cpu') return isDefault ? 'auto' : wanted;
  if (typeof wanted !== 'string' || !/^cuda(:\d+)?$/.test(wanted)) {
    reject(argument, "'auto', 'cpu', 'cuda' or 'cuda:<number>'", wanted);
  }
  checkCuda(argument, wanted);
  return isDefault ? 'auto' : (wanted as Device);
}

function checkCuda(argument: string, device: string): void {
  checkDevice(argument, deviceNumber(device), device);
}

/** Throws where there is no such GPU, or none that can be used. */
export function checkDevice(argument: string, device: number, received: unknown = device): void {
  const library = deviceLibrary();
  if ('reason' in library) {
    const { reason, explanation } = library;
    const remedy =
      argument === 'EFL_DEVICE'
        ? "EFL_DEVICE asks for it: unset it, or pass device: 'cpu'."
        : "The CPU backend works; pass device: 'auto' to use it.";
    throw new EflBackendUnavailableError(
      'cuda',
      reason,
      `CUDA backend unavailable: ${explanation}. ${remedy}`,
    );
  }
  const { count } = library.summary;
  if (Number.isInteger(device) && device >= 0 && device < count) return;
  reject(argument, `a device from 0 to ${count - 1}`, received);
}

function deviceNumber(device: string): number {
  return Number(device.split(':')[1] ?? 0);
}

/**
 * Where a criterion with this `device` computes arrays on the host: the number of a GPU, or -1 for
 * the CPU. With `'auto'` that is the CPU, unless `EFL_DEVICE` says otherwise: a GPU would have every
 * logit and every gradient cross the bus.
 */
export function hostArrayDevice(device: Device): number {
  const wanted = device === 'auto' ? process.env['EFL_DEVICE'] || 'cpu' : device;
  return wanted === 'cpu' || wanted === 'auto' ? -1 : deviceNumber(wanted);
}
