/** The library for GPUs: finding it, opening it on first use, and why it cannot be used. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { EflCudaError, type BackendFailure } from '../errors';
import { cudaPackageName, version } from '../version';
import type { DeviceSummary } from './addon';
import { addon, addonPath } from './load';
import { deviceLibraryPlaces } from './places';
import { currentPlatform } from './platform';

/** A GPU, or the first reason not to have one. */
export type DeviceLibrary =
  | { readonly summary: DeviceSummary }
  | { readonly reason: BackendFailure; readonly explanation: string };

/** The platform that the library is built for. */
const cudaPlatform = 'linux-x64';

let found: DeviceLibrary | undefined;

/** Looked at once in a process: drivers do not come and go. */
export function deviceLibrary(): DeviceLibrary {
  found ??= find();
  return found;
}

/** `EFL_CUDA_LIBRARY`, or a file that is there: beside the addon, or in the package that has it. */
export function deviceLibraryPath(): string | undefined {
  const explicit = process.env['EFL_CUDA_LIBRARY'];
  if (explicit) return path.resolve(explicit);
  return deviceLibraryPlaces(addonPath()).find((file) => existsSync(file));
}

function find(): DeviceLibrary {
  if (process.env['EFL_DISABLE_CUDA']) return failure('disabled', 'EFL_DISABLE_CUDA is set');
  const file = deviceLibraryPath();
  if (file === undefined) return notInstalled();
  if (!existsSync(file)) return failure('not-built', `there is no ${file}`);
  const problem = addon().openDevices(file);
  if (typeof problem === 'object') {
    const expected = `this package is ${version}`;
    return failure('abi-mismatch', `${file} is of version ${problem.version}, ${expected}`);
  }
  if (problem !== undefined) return failure('library-not-loadable', problem);
  const summary = addon().deviceSummary();
  return noDevice(summary) ?? noKernels(summary) ?? { summary };
}

function notInstalled(): DeviceLibrary {
  const { tuple } = currentPlatform();
  if (tuple !== cudaPlatform) {
    return failure('not-built', `there is none for ${tuple}, only for ${cudaPlatform}`);
  }
  return failure(
    'not-installed',
    `the library for GPUs is a package of its own: npm install ${cudaPackageName}@${version}`,
  );
}

const insufficientDriver = 35;
const noDeviceFound = 100;
const noKernelImage = 209;

function noDevice({ error, count, driver, runtime }: DeviceSummary): DeviceLibrary | undefined {
  if (error === insufficientDriver && driver === 0) {
    return failure('no-driver', 'no NVIDIA driver (libcuda.so.1) was found');
  }
  if (error === insufficientDriver) {
    const needed = `CUDA ${describeVersion(runtime)}`;
    return failure(
      'driver-too-old',
      `the driver is for CUDA ${describeVersion(driver)}, ${needed} is needed`,
    );
  }
  if (error === noDeviceFound || (error === 0 && count === 0)) {
    return failure('no-device', 'the driver finds no NVIDIA GPU');
  }
  return error === 0 ? undefined : failure('no-device', cudaError(error).message);
}

function noKernels({ architectures }: DeviceSummary): DeviceLibrary | undefined {
  const error = addon().selfTest(0);
  if (error === 0) return undefined;
  if (error === noKernelImage) {
    const device = addon().describeDevice(0);
    const capability = typeof device === 'number' ? 'unknown' : `${device.major}.${device.minor}`;
    return failure(
      'arch-unsupported',
      `the GPU has compute capability ${capability}; this build has code for ${architectures}`,
    );
  }
  return failure('self-test-failed', cudaError(error).message);
}

function failure(reason: BackendFailure, explanation: string): DeviceLibrary {
  return { reason, explanation };
}

export function describeVersion(version: number): string {
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
}

/** An error of the runtime, by its number. */
export function cudaError(error: number): EflCudaError {
  const [name, text] = addon().deviceError(error);
  return new EflCudaError(name, error, text);
}
