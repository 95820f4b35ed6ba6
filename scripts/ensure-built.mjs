// Builds what is missing or was made from other sources; says nothing when all is there. With
// --release (before packing) a debug build does not count as there.
//
// The library for GPUs, which takes nvcc many minutes, is only built where there is a GPU to use it,
// and with --cuda (before its package is packed). EFL_CUDA=auto, on or off says otherwise.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { nativeFingerprint, typescriptFingerprint } from './fingerprint.mjs';
import { cudaFolder, linkCudaPackage, root, stagedFolder, unlinkCudaPackage } from './platform.mjs';
import { isIntact, readManifest } from './staging.mjs';

const isRelease = process.argv.includes('--release');
const needsCuda = process.argv.includes('--cuda');
/** The driver, on Linux or below it on Windows. */
const hasGpu = existsSync('/proc/driver/nvidia') || existsSync('/dev/dxg');
const cuda = needsCuda ? 'on' : (process.env.EFL_CUDA ?? (hasGpu ? 'auto' : 'off'));

const sources = nativeFingerprint();

function nativeIsCurrent() {
  const built = readManifest(stagedFolder());
  if (!built || !existsSync(path.join(stagedFolder(), 'efl.node'))) return false;
  if (isRelease && built.configuration !== 'release') return false;
  if (built.cuda === 'off' && cuda !== 'off') return false;
  return built.sources === sources;
}

function cudaIsCurrent() {
  const built = readManifest(cudaFolder());
  if (needsCuda && built?.gpus !== 'all') return false;
  return built?.sources === sources && isIntact(cudaFolder());
}

function typescriptIsCurrent() {
  const file = path.join(root, 'dist', 'sources.sha256');
  return existsSync(file) && readFileSync(file, 'utf8') === typescriptFingerprint();
}

function npmRun(script) {
  // What a build says goes to stderr: stdout belongs to the command that needed it (npm pack --json).
  const stdio = ['inherit', 2, 2];
  const env = { ...process.env, EFL_CUDA: cuda };
  const { status } = spawnSync('npm', ['run', '--silent', script], { cwd: root, stdio, env });
  if (status !== 0) process.exit(status ?? 1);
}

if (!nativeIsCurrent() || (needsCuda && !cudaIsCurrent())) {
  console.error('Building the native addon ...');
  npmRun(needsCuda ? 'build:cuda' : 'build:native');
}
// npm ci takes the link away; a library of other sources is not for this addon.
if (cudaIsCurrent()) linkCudaPackage();
else unlinkCudaPackage();
if (!typescriptIsCurrent()) {
  console.error('Compiling the TypeScript sources ...');
  npmRun('build:ts');
}
