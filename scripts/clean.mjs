// Removes everything a build makes.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { root } from './platform.mjs';

for (const folder of [
  'build',
  'build-cmake',
  'build-cmake-asan',
  'build-cmake-tests',
  'build-cmake-emulated',
  'dist',
  'gpu-bundle',
  'prebuilds',
]) {
  rmSync(path.join(root, folder), { recursive: true, force: true });
}
