// What a build was made from, so that a stale one is recognised whatever the files' times say.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './platform.mjs';

/** All files below a folder of the package but installed ones, relative to the package, sorted. */
export function filesBelow(folder) {
  const absolute = path.join(root, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { withFileTypes: true })
    .filter((entry) => entry.name !== 'node_modules')
    .flatMap((entry) => {
      const file = path.join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(file) : [file];
    })
    .sort();
}

function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(`${file.split(path.sep).join('/')}\n`).update(readFileSync(path.join(root, file)));
  }
  return hash.digest('hex');
}

export function nativeFingerprint() {
  // binding.gyp is not in the packed package, which builds with CMake.
  const recipes = ['CMakeLists.txt', 'binding.gyp'];
  const files = [
    ...filesBelow('native'),
    ...recipes.filter((file) => existsSync(path.join(root, file))),
  ];
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  return createHash('sha256')
    .update(`${version}\n${fingerprint(files)}`)
    .digest('hex');
}

export function typescriptFingerprint() {
  return fingerprint([
    ...filesBelow('lib'),
    ...filesBelow('bench').filter((file) => /\.(ts|py|npmignore)$|tsconfig/.test(file)),
    'tsconfig.json',
    'tsconfig.build.json',
    'tsconfig.esm.json',
    'package.json',
  ]);
}
