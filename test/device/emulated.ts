import path from 'node:path';
import { memoryInfo } from '../../lib';
import { expectSuccess, root, runNode } from '../process/child';
import { hasTools } from '../process/tools';

/** The GPU of the machine is wanted, and it is an error where there is none. */
const real = process.env['EFL_REQUIRE_CUDA'] === '1';

/** The emulated device library: EFL_CUDA_LIBRARY, or built where it is missing or stale. */
export async function emulatedLibrary(): Promise<string> {
  const given = process.env['EFL_CUDA_LIBRARY'];
  if (given) return given;
  const built = await runNode([path.join(root, 'scripts', 'build-emulated.mjs')]);
  expectSuccess(built);
  return built.stdout.trim();
}

/**
 * `describe` for what needs a GPU: on the emulated one, or on that of the machine with
 * EFL_REQUIRE_CUDA=1, where none is an error.
 */
export function describeOnDevice(name: string, body: () => void): void {
  const emulated = () => process.env['EFL_CUDA_LIBRARY'] !== undefined || hasTools(name, 'cmake');
  const block = real || emulated() ? describe : describe.skip;
  block(name, () => {
    beforeAll(async () => {
      if (!real) process.env['EFL_CUDA_LIBRARY'] = await emulatedLibrary();
    }, 300_000);
    body();
  });
}

/** `test` for what needs two GPUs, which the emulated library has. */
export const testOnTwoDevices = !real || hasSecondDevice() ? test : test.skip;

function hasSecondDevice(): boolean {
  try {
    return memoryInfo(1).total > 0;
  } catch (error) {
    if (process.env['EFL_REQUIRE_TWO_GPUS'] === '1') throw error;
    console.warn('Tests on two GPUs: skipped (EFL_REQUIRE_TWO_GPUS=1 makes this an error)');
    return false;
  }
}
