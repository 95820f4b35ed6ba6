// Builds the library for GPUs on a model of CUDA on the host, for tests, and prints its path:
//
//   EFL_CUDA_LIBRARY=$(node scripts/build-emulated.mjs) npx jest test/unit
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from './platform.mjs';

const folder = path.join(root, 'build-cmake-emulated');

function run(...args) {
  const { status, error } = spawnSync('cmake', args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

run(
  ...['-S', root, '-B', folder, '-DCMAKE_BUILD_TYPE=Release'],
  ...['-DEFL_ADDON=OFF', '-DEFL_EMULATED=ON'],
);
run('--build', folder, '--parallel', '2', '--target', 'efl_cuda_emulated');
console.log(path.join(folder, 'libefl_cuda_emulated.so'));
