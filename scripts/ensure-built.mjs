// Builds what is missing or was made from other sources; says nothing when all is there. With
// --release (before packing) a debug build does not count as there.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { nativeFingerprint, typescriptFingerprint } from './fingerprint.mjs';
import { root, stagedFolder } from './platform.mjs';

function nativeIsCurrent() {
  const manifest = path.join(stagedFolder(), 'manifest.json');
  if (!existsSync(manifest) || !existsSync(path.join(stagedFolder(), 'efl.node'))) return false;
  const { sources, configuration } = JSON.parse(readFileSync(manifest, 'utf8'));
  if (process.argv.includes('--release') && configuration !== 'release') return false;
  return sources === nativeFingerprint();
}

function typescriptIsCurrent() {
  const file = path.join(root, 'dist', 'sources.sha256');
  return existsSync(file) && readFileSync(file, 'utf8') === typescriptFingerprint();
}

function npmRun(script) {
  // What a build says goes to stderr: stdout belongs to the command that needed it (npm pack --json).
  const stdio = ['inherit', 2, 2];
  const { status } = spawnSync('npm', ['run', '--silent', script], { cwd: root, stdio });
  if (status !== 0) process.exit(status ?? 1);
}

if (!nativeIsCurrent()) {
  console.error('Building the native addon ...');
  npmRun('build:native');
}
if (!typescriptIsCurrent()) {
  console.error('Compiling the TypeScript sources ...');
  npmRun('build:ts');
}
