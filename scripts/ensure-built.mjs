// Builds what is missing or was made from other sources; says nothing when all is there.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { nativeFingerprint, typescriptFingerprint } from './fingerprint.mjs';
import { root, stagedFolder } from './platform.mjs';

function nativeIsCurrent() {
  const manifest = path.join(stagedFolder(), 'manifest.json');
  if (!existsSync(manifest) || !existsSync(path.join(stagedFolder(), 'efl.node'))) return false;
  return JSON.parse(readFileSync(manifest, 'utf8')).sources === nativeFingerprint();
}

function typescriptIsCurrent() {
  const file = path.join(root, 'dist', 'sources.sha256');
  return existsSync(file) && readFileSync(file, 'utf8') === typescriptFingerprint();
}

function npmRun(script) {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, ['run', '--silent', script], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (!nativeIsCurrent()) {
  console.log('Building the native addon ...');
  npmRun('build:native');
}
if (!typescriptIsCurrent()) {
  console.log('Compiling the TypeScript sources ...');
  npmRun('build:ts');
}
