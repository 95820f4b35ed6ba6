// Builds the library for GPUs on a model of CUDA on the host, for tests, and prints its path:
//
//   EFL_CUDA_LIBRARY=$(node scripts/build-emulated.mjs) npx jest test/unit
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import lockfile from 'proper-lockfile';
import { run } from './install-dependencies.mjs';
import { root } from './platform.mjs';

const folder = path.join(root, 'build-cmake-emulated');

async function cmake(...args) {
  // Not spawnSync: the lock is kept alive by a timer.
  const status = await run('cmake', args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status);
}

// Test files that run side by side ask for it at the same time, and two builds in one folder link
// what the other one is writing.
mkdirSync(folder, { recursive: true });
const release = await lockfile.lock(folder, {
  lockfilePath: path.join(folder, 'lock'),
  stale: 30_000,
  retries: { retries: 3000, factor: 1, minTimeout: 200, maxTimeout: 200 },
});
await cmake(
  ...['-S', root, '-B', folder, '-DCMAKE_BUILD_TYPE=Release'],
  ...['-DEFL_ADDON=OFF', '-DEFL_EMULATED=ON'],
);
await cmake('--build', folder, '--parallel', '2', '--target', 'efl_cuda_emulated');
await release();
console.log(path.join(folder, 'libefl_cuda_emulated.so'));
