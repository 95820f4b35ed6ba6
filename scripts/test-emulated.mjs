// Runs the unit, property and device tests with host arrays on an emulated GPU:
//
//   node scripts/test-emulated.mjs
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from './platform.mjs';

function run(args, options) {
  const { status, stdout, error } = spawnSync(process.execPath, args, { cwd: root, ...options });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
  return stdout;
}

const built = run([path.join('scripts', 'build-emulated.mjs')], { stdio: ['ignore', 'pipe', 2] });
const env = { ...process.env, EFL_CUDA_LIBRARY: String(built).trim(), EFL_DEVICE: 'cuda' };
// Left out: what 'auto' is without EFL_DEVICE, and a run of some of the same tests.
const ignored = ['unit/backends.test.ts', 'device/host-arrays.long.test.ts'];
run(
  [
    path.join('node_modules', 'jest', 'bin', 'jest.js'),
    ...['test/unit', 'test/properties', 'test/device'],
    ...ignored.flatMap((name) => ['--testPathIgnorePatterns', name]),
  ],
  { env, stdio: 'inherit' },
);
