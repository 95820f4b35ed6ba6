// Makes gpu-bundle/efl-gpu-bundle, a folder that tests and measures this package on a machine with a
// GPU and nothing else, and the same as an archive:
//
//   npm run gpu:bundle -- [--emulated] [--node PATH] [--out DIR]
//
// --emulated puts the emulated library in, so that its run.sh --emulated works without a GPU. --node
// takes that binary in place of the pinned one, which is downloaded from the npm registry.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { copyPackages } from './gpu-bundle/dependencies.mjs';
import { copyNode, installPinnedNode } from './gpu-bundle/node-binary.mjs';
import { cudaFolder, root } from './platform.mjs';

const name = 'efl-gpu-bundle';
const mostMegabytes = 60;
const tools = path.join('scripts', 'gpu-bundle');

const { values: options } = parseArgs({
  options: {
    emulated: { type: 'boolean', default: false },
    node: { type: 'string' },
    out: { type: 'string', default: path.join(root, 'gpu-bundle') },
  },
});
const out = path.resolve(options.out);
const bundle = path.join(out, name);

function run(command, args) {
  const { status, stdout, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 2],
    encoding: 'utf8',
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
  return stdout.trim();
}

/** To the same place in the bundle: what is there finds one another as it does here. */
function copy(...places) {
  const filter = (file) => !/(^|[\\/])(__pycache__|node_modules)([\\/]|$)/.test(file);
  for (const place of places) {
    cpSync(path.join(root, place), path.join(bundle, place), {
      recursive: true,
      filter: (file) => filter(path.relative(root, file)),
    });
  }
}

function compileTests() {
  const tsc = path.join('node_modules', 'typescript', 'bin', 'tsc');
  run(process.execPath, [tsc, '-p', path.join(tools, 'tsconfig.json'), '--outDir', bundle]);
  copy(path.join('test', 'device', 'fixtures'));
}

function addNode() {
  const target = path.join(bundle, 'node', 'bin', 'node');
  if (options.node === undefined)
    return installPinnedNode(target, path.join(root, '.cache', 'node'));
  copyNode(options.node, target);
  return options.node;
}

/** Beside the addon, where the loader looks first. */
function addCudaLibrary() {
  const library = path.join(cudaFolder(), 'libefl_cuda.so');
  if (existsSync(library)) {
    cpSync(library, path.join(bundle, 'prebuilds', 'linux-x64', path.basename(library)));
  } else if (!options.emulated) {
    throw new Error(`there is no ${library}: npm run build makes it where nvcc is`);
  }
}

function addEmulatedLibrary() {
  const library = run(process.execPath, [path.join('scripts', 'build-emulated.mjs')]);
  cpSync(library, path.join(bundle, 'test', 'emulated', path.basename(library)));
}

function pack() {
  const archive = path.join(out, `${name}.tar.gz`);
  const plain = ['--owner=0', '--group=0', '--numeric-owner', '--sort=name'];
  run('tar', [...plain, '-C', out, '-czf', archive, name]);
  const megabytes = statSync(archive).size / 1e6;
  if (megabytes > mostMegabytes) {
    throw new Error(
      `${archive} has ${megabytes.toFixed(1)} MB, at most ${mostMegabytes} are allowed`,
    );
  }
  return `${archive}: ${megabytes.toFixed(1)} MB`;
}

rmSync(bundle, { recursive: true, force: true });
mkdirSync(bundle, { recursive: true });
copy('package.json', 'LICENSE', 'CHANGELOG.md', 'dist', path.join('prebuilds', 'linux-x64'));
addCudaLibrary();
copy('native', path.join('test', 'native'), 'CMakeLists.txt');
copy(path.join('bench', 'peers'));
copy(path.join(tools, 'run.mjs'), path.join(tools, 'every-kernel.cjs'));
compileTests();
for (const file of ['run.sh', 'README.md', 'jest.config.cjs']) {
  cpSync(path.join(root, tools, file), path.join(bundle, file));
}
copyPackages(['jest', 'fast-check', 'commander'], bundle);
const node = addNode();
if (options.emulated) addEmulatedLibrary();
writeFileSync(
  path.join(bundle, 'bundle.json'),
  `${JSON.stringify({ node, emulatedLibrary: options.emulated }, null, 2)}\n`,
);
console.log(pack());
