// Compiles the addon and stages it where the loader looks.
//
//   node scripts/build-native.mjs [cmake|gyp] [--debug] [--sanitize] [--portable]
//
// Without a name cmake-js is used where CMake is found, and node-gyp otherwise. A sanitized build is
// not staged: it only loads with the sanitizer's runtime preloaded, and EFL_BINARY names it then.
// --portable leaves out the kernels of newer instruction sets, which take most of the time.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { nativeFingerprint } from './fingerprint.mjs';
import { root, stagedFolder } from './platform.mjs';

const require = createRequire(import.meta.url);
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    debug: { type: 'boolean' },
    sanitize: { type: 'boolean' },
    portable: { type: 'boolean' },
  },
});

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) {
    console.error(`\nThe build failed: ${command} ${args.join(' ')}`);
    console.error(
      'It needs a C++17 compiler (GCC 9 or Clang 10 and newer), and CMake or Python with make.',
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
  const folder = options.sanitize ? 'build-cmake-asan' : 'build-cmake';
  const args = [require.resolve('cmake-js/bin/cmake-js'), 'compile', '--out', folder];
  if (options.debug || options.sanitize) args.push('--debug');
  if (options.sanitize) args.push('--CDEFL_SANITIZE=address,undefined');
  run(process.execPath, args);
  if (options.portable) args.push('--CDEFL_PORTABLE=ON');
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

function stage(built, builder) {
  const folder = stagedFolder();
  mkdirSync(folder, { recursive: true });
  // By a rename: a process that has the old file mapped must not see it change.
  const target = path.join(folder, 'efl.node');
  copyFileSync(built, `${target}.new`);
  renameSync(`${target}.new`, target);
  const manifest = {
    version: JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).version,
    builder,
    configuration: options.debug ? 'debug' : 'release',
    sources: nativeFingerprint(),
    sha256: createHash('sha256').update(readFileSync(target)).digest('hex'),
  };
  writeFileSync(path.join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  console.log(`Staged ${path.relative(root, target)} (${builder}, ${manifest.configuration}).`);
}

const builder = positionals[0] ?? (options.portable || hasCMake() ? 'cmake' : 'gyp');
if (builder !== 'cmake' && builder !== 'gyp') {
  console.error(`Unknown builder '${builder}': cmake or gyp.`);
  process.exit(2);
}
if (options.sanitize) console.log(`Built ${findBuilt(buildWithCMake())}.`);
else if (builder === 'cmake') stage(findBuilt(buildWithCMake()), 'cmake-js');
else stage(findBuilt(buildWithGyp()), 'node-gyp');
