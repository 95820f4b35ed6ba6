// Compiles the addon and the library for programs in C, and stages them where the loader looks.
//
//   node scripts/build-native.mjs [cmake|gyp] [--debug] [--sanitize] [--portable] [--folder NAME]
//
// Without a name cmake-js is used where CMake is found, and node-gyp otherwise. A sanitized build is
// not staged: it only loads with the sanitizer's runtime preloaded, and EFL_BINARY names it then.
// Nor is one in a folder of its own, for another compiler (CC, CXX), which takes CMake.
// --portable leaves out the kernels of newer instruction sets, which take most of the time. CMake
// also builds the library for GPUs where nvcc is found; EFL_CUDA=on needs it, EFL_CUDA=off does not.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { nativeFingerprint } from './fingerprint.mjs';
import { root, stagedFolder } from './platform.mjs';

const require = createRequire(import.meta.url);
/** `auto` builds the library for GPUs where nvcc is found, `on` needs it, `off` leaves it out. */
const cuda = process.env.EFL_CUDA ?? 'auto';
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    debug: { type: 'boolean' },
    sanitize: { type: 'boolean' },
    portable: { type: 'boolean' },
    folder: { type: 'string' },
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

/** By a rename: a process that has the old file mapped must not see it change. */
function stageFile(built, target) {
  copyFileSync(built, `${target}.new`);
  renameSync(`${target}.new`, target);
}

const libraryExtension = process.platform === 'darwin' ? '.dylib' : '.so';

function checksum(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** The library for GPUs, which is beside the addon or not built at all; its checksum. */
function stageCuda(built, target) {
  const library = path.join(path.dirname(built), 'libefl_cuda.so');
  if (!existsSync(library) || options.portable || cuda === 'off') {
    rmSync(target, { force: true });
    return undefined;
  }
  stageFile(library, target);
  return checksum(target);
}

function stage(built, builder) {
  const folder = stagedFolder();
  mkdirSync(folder, { recursive: true });
  const target = path.join(folder, 'efl.node');
  stageFile(built, target);
  const library = path.join(folder, `libefl${libraryExtension}`);
  stageFile(path.join(path.dirname(built), path.basename(library)), library);
  const cudaChecksum = stageCuda(built, path.join(folder, 'libefl_cuda.so'));
  const manifest = {
    version: JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).version,
    builder,
    configuration: options.debug ? 'debug' : 'release',
    sources: nativeFingerprint(),
    sha256: checksum(target),
    librarySha256: checksum(library),
    // So that a build which is to have it is not taken for one that could not.
    cuda,
    ...(cudaChecksum ? { cudaSha256: cudaChecksum } : {}),
  };
  writeFileSync(path.join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const gpus = cudaChecksum ? 'with the library for GPUs' : 'without a library for GPUs';
  const how = `${builder}, ${manifest.configuration}, ${gpus}`;
  console.log(`Staged ${path.relative(root, target)} (${how}).`);
}

const builder = positionals[0] ?? (options.portable || hasCMake() ? 'cmake' : 'gyp');
if (builder !== 'cmake' && builder !== 'gyp') {
  console.error(`Unknown builder '${builder}': cmake or gyp.`);
  process.exit(2);
}
if (options.sanitize || options.folder) console.log(`Built ${findBuilt(buildWithCMake())}.`);
else if (builder === 'cmake') stage(findBuilt(buildWithCMake()), 'cmake-js');
else stage(findBuilt(buildWithGyp()), 'node-gyp');
