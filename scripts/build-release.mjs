// Compiles the addon and the library for programs in C for every platform of a release, on Linux x64:
//
//   node scripts/build-release.mjs [--only linux-arm64,win32-x64]
//
// Zig, which comes from npm, is the compiler for all of them. What is there already, of these sources,
// is not built again.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { nativeFingerprint } from './fingerprint.mjs';
import { installDependencies } from './install-dependencies.mjs';
import { root } from './platform.mjs';
import { filesOf, targets } from './release/targets.mjs';
import { isIntact, readManifest, stage } from './staging.mjs';

const { values: options } = parseArgs({ options: { only: { type: 'string' } } });
const only = options.only?.split(',');
const wanted = targets.filter(({ tuple }) => only === undefined || only.includes(tuple));
const unknown = only?.find((tuple) => !targets.some((known) => known.tuple === tuple));
if (unknown !== undefined) {
  console.error(`No target '${unknown}'. There is: ${targets.map((t) => t.tuple).join(', ')}.`);
  process.exit(2);
}

const recipes = path.join(root, 'scripts', 'release');
const installed = await installDependencies(recipes, 'scripts/release');
if (installed !== 0) process.exit(installed);
const zigPackage = path.join(recipes, 'node_modules', '@ryoppippi', 'zig-linux-x64');
const zig = path.join(zigPackage, 'zig');
const { version } = JSON.parse(readFileSync(path.join(zigPackage, 'package.json'), 'utf8'));
const builder = `zig ${version}`;
const require = createRequire(import.meta.url);
const headers = path.dirname(require.resolve('node-api-headers/package.json'));

/** What decides over a binary beside its sources: compiler, flags, targets, Node-API's headers. */
const recipe = createHash('sha256');
recipe.update(`${builder}\n${require('node-addon-api/package.json').version}\n`);
recipe.update(`${require('node-api-headers/package.json').version}\n`);
for (const name of ['zig.cmake', 'targets.mjs']) {
  recipe.update(readFileSync(path.join(recipes, name)));
}
const recipeSum = recipe.digest('hex');

function run(command, args) {
  const cache = path.join(root, '.cache', 'zig');
  const env = { ...process.env, ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache };
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], env });
  if (error) throw error;
  if (status !== 0) {
    console.error(`\nThe build failed: ${command} ${args.join(' ')}`);
    process.exit(1);
  }
}

/** On Windows the addon is linked with a library that says what the program that loads it has. */
function linkOptions(tuple, folder) {
  if (!tuple.startsWith('win32')) return [];
  const library = path.join(folder, 'node.lib');
  const symbols = path.join(headers, 'def', 'node_api.def');
  run(zig, ['dlltool', '-m', 'i386:x86-64', '-D', 'node.exe', '-d', symbols, '-l', library]);
  return [`-DCMAKE_JS_LIB=${library}`];
}

function build({ tuple, target }) {
  const folder = path.join(root, 'build-cmake-release', tuple);
  // What CMake remembers of another recipe would stay.
  rmSync(path.join(folder, 'CMakeCache.txt'), { force: true });
  mkdirSync(folder, { recursive: true });
  run('cmake', [
    ...['-S', root, '-B', folder, '-DCMAKE_BUILD_TYPE=Release', '-DEFL_CUDA=OFF'],
    `-DCMAKE_TOOLCHAIN_FILE=${path.join(recipes, 'zig.cmake')}`,
    ...[`-DZIG=${zig}`, `-DEFL_TARGET=${target}`],
    `-DCMAKE_JS_INC=${path.join(headers, 'include')}`,
    ...linkOptions(tuple, folder),
  ]);
  const jobs = String(availableParallelism());
  run('cmake', ['--build', folder, '--parallel', jobs, '--target', 'efl', 'efl_library']);
  const built = filesOf(tuple).map((name) => path.join(folder, name));
  stage(stagedAt(tuple), built, { builder, configuration: 'release', target, recipe: recipeSum });
}

const stagedAt = (tuple) => path.join(root, 'prebuilds', tuple);

const sources = nativeFingerprint();

function isCurrent(tuple) {
  const manifest = readManifest(stagedAt(tuple));
  return (
    manifest?.sources === sources && manifest.recipe === recipeSum && isIntact(stagedAt(tuple))
  );
}

for (const one of wanted) {
  if (isCurrent(one.tuple)) console.log(`prebuilds/${one.tuple} is current.`);
  else build(one);
}
