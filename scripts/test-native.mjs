// Builds the native tests with CMake and runs them, plain or under sanitizers:
//
//   node scripts/test-native.mjs [plain|address,undefined|thread]
//
// With CXX set they are built by that compiler, in a folder of its own.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from './platform.mjs';

const sanitizers = process.argv[2] ?? 'plain';
const compiler = process.env.CXX ? `-${path.basename(process.env.CXX)}` : '';
const folder = path.join(root, 'build-cmake-tests', `${sanitizers.replace(',', '-')}${compiler}`);

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

run('cmake', [
  ...['-S', root, '-B', folder, '-DEFL_ADDON=OFF', '-DEFL_TESTS=ON', '-DCMAKE_BUILD_TYPE=Release'],
  `-DEFL_SANITIZE=${sanitizers === 'plain' ? '' : sanitizers}`,
]);
run('cmake', ['--build', folder, '--parallel', '2']);
run(path.join(folder, 'efl_native_tests'), []);
run(path.join(folder, 'efl_library_tests'), []);
// Random problems for the CUDA kernels on the host: as many as take a few seconds.
const problems = { plain: 150, 'address,undefined': 30 }[sanitizers] ?? 10;
run(path.join(folder, 'efl_cuda_tests'), [String(problems)]);
run(path.join(folder, 'efl_cuda_library_tests'), []);
if (sanitizers === 'plain') run(path.join(folder, 'efl_cuda_tests_perturbed'), ['50']);
