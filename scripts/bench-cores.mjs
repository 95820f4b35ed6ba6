// Builds bench/native/many_cores.cc with CMake and runs it:
//
//   node scripts/bench-cores.mjs [microseconds to wake a helper] [GB/s of the memory]
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from './platform.mjs';

const folder = path.join(root, 'build-cmake-tests', 'plain');

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

run('cmake', [
  ...['-S', root, '-B', folder, '-DEFL_ADDON=OFF', '-DEFL_TESTS=ON', '-DCMAKE_BUILD_TYPE=Release'],
]);
run('cmake', ['--build', folder, '--parallel', '2', '--target', 'efl_many_cores']);
run(path.join(folder, 'efl_many_cores'), process.argv.slice(2));
