// Compiles the addon and the library for programs in C, and stages them where the loader looks.
//
//   node scripts/build-native.mjs [cmake|gyp] [--debug] [--sanitize] [--portable] [--folder NAME] [--cuda-only]
//                                 [--gpus 75,90]
//
// Without a name cmake-js is used where CMake is found, and node-gyp otherwise. A sanitized build is
// not staged: it only loads with the sanitizer's runtime preloaded, and EFL_BINARY names it then.
// Nor is one in a folder of its own, for another compiler (CC, CXX), which takes CMake.
// --portable leaves out the kernels of newer instruction sets, which take most of the time. CMake
// also builds the library for GPUs where nvcc is found, for the package that has it; EFL_CUDA=on needs
// it, EFL_CUDA=off does not. --cuda-only stages that library alone, and leaves the addon of a release.
// --gpus compiles it for these compute capabilities only, which takes a part of the time; such a
// library is not packed.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { cudaFolder, linkCudaPackage, root, stagedFolder, unlinkCudaPackage } from './platform.mjs';
import { stage } from './staging.mjs';

const require = createRequire(import.meta.url);
/** `auto` builds the library for GPUs where nvcc is found, `on` needs it, `off` leaves it out. */
const cuda = process.env.EFL_CUDA ?? 'auto';
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    debug: { type: 'boolean' },
    sanitize: { type: 'boolean' },
    portable: { type: 'boolean' },
    'cuda-only': { type: 'boolean' },
    folder: { type: 'string' },
    gpus: { type: 'string' },
  },
});

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) {
    console.error(`\nThe build failed: ${command} ${args.join(' ')}`);
    console.error(
      'It needs a C++17 compiler (GCC 9 or Clang 14 and newer), and CMake or Python with make.',
    );
    process.exit(status ?? 1);
  }
}

function hasCMake() {
  return spawnSync('cmake', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Node's own headers where they are installed beside it, so that node-gyp need not fetch them. */
function headerPrefix() {
  const prefix = path.resolve(path.dirname(process.execPath), '..');
  return existsSync(path.join(prefix, 'include', 'node', 'node_api.h')) ? prefix : undefined;
}

function buildWithCMake() {
  const folder = options.folder ?? (options.sanitize ? 'build-cmake-asan' : 'build-cmake');
  const args = [require.resolve('cmake-js/bin/cmake-js'), 'compile', '--out', folder];
  if (options.debug || options.sanitize) args.push('--debug');
  if (options.sanitize) args.push('--CDEFL_SANITIZE=address,undefined');
  if (options.portable) args.push('--CDEFL_PORTABLE=ON');
  args.push(`--CDEFL_CUDA=${cuda.toUpperCase()}`);
  if (options.gpus) args.push(`--CDEFL_CUDA_ARCHITECTURES=${options.gpus.replaceAll(',', ';')}`);
  run(process.execPath, args);
  const name = options.debug || options.sanitize ? 'Debug' : 'Release';
  return [path.join(folder, name, 'efl.node'), path.join(folder, 'efl.node')];
}

function buildWithGyp() {
  const prefix = headerPrefix();
  const args = [require.resolve('node-gyp/bin/node-gyp.js'), 'rebuild'];
  if (prefix) args.push(`--nodedir=${prefix}`);
  if (options.debug) args.push('--debug');
  run(process.execPath, args);
  return [path.join('build', options.debug ? 'Debug' : 'Release', 'efl.node')];
}

function findBuilt(candidates) {
  const built = candidates.map((file) => path.join(root, file)).find((file) => existsSync(file));
  if (!built) throw new Error(`no efl.node at ${candidates.join(' or ')}`);
  return built;
}

/** The addon, and the library for programs in C. */
function stageBuilt(addon, builder) {
  const libraryName = process.platform === 'darwin' ? 'libefl.dylib' : 'libefl.so';
  const built = path.dirname(addon);
  const configuration = options.debug ? 'debug' : 'release';
  // `cuda`: so that a build which is to have the library is not taken for one that could not.
  const files = [addon, path.join(built, libraryName)];
  if (!options['cuda-only']) stage(stagedFolder(), files, { builder, configuration, cuda });
  const cudaLibrary = path.join(built, 'libefl_cuda.so');
  // Built beside the addon, or not at all.
  if (!existsSync(cudaLibrary) || options.portable || cuda === 'off') return unlinkCudaPackage();
  const gpus = options.gpus ?? 'all';
  stage(cudaFolder(), [cudaLibrary], { builder, configuration: 'release', gpus });
  linkCudaPackage();
}

const builder = positionals[0] ?? (options.portable || hasCMake() ? 'cmake' : 'gyp');
if (builder !== 'cmake' && builder !== 'gyp') {
  console.error(`Unknown builder '${builder}': cmake or gyp.`);
  process.exit(2);
}
if (options.sanitize || options.folder) console.log(`Built ${findBuilt(buildWithCMake())}.`);
else if (builder === 'cmake') stageBuilt(findBuilt(buildWithCMake()), 'cmake-js');
else stageBuilt(findBuilt(buildWithGyp()), 'node-gyp');
