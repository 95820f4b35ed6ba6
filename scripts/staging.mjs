// Puts what was built where the loader looks, with a manifest that says how it was built, from which
// sources, and the checksum of each file.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { nativeFingerprint } from './fingerprint.mjs';
import { root } from './platform.mjs';

const manifestName = 'manifest.json';

export function checksum(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** What the manifest of a folder says, or undefined where there is none. */
export function readManifest(folder) {
  const file = path.join(folder, manifestName);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** Whether a folder has all files of its manifest as they were staged. */
export function isIntact(folder) {
  const files = Object.entries(readManifest(folder)?.files ?? {});
  return (
    files.length > 0 &&
    files.every(([name, sum]) => {
      const file = path.join(folder, name);
      return existsSync(file) && checksum(file) === sum;
    })
  );
}

/** By a rename: a process that has the old file mapped must not see it change. */
function stageFile(built, target) {
  copyFileSync(built, `${target}.new`);
  renameSync(`${target}.new`, target);
}

/** `files`: paths of what was built, which keep their names. `how`: for the manifest. */
export function stage(folder, files, how) {
  mkdirSync(folder, { recursive: true });
  for (const old of readdirSync(folder)) {
    if (!files.some((file) => path.basename(file) === old)) rmSync(path.join(folder, old));
  }
  for (const file of files) stageFile(file, path.join(folder, path.basename(file)));
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const sums = files.map((file) => [path.basename(file), checksum(file)]);
  const manifest = {
    ...{ version, ...how },
    ...{ sources: nativeFingerprint(), files: Object.fromEntries(sums) },
  };
  writeFileSync(path.join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
  const names = Object.keys(manifest.files).join(' and ');
  console.log(`Staged ${path.relative(root, folder)}: ${names} (${how.builder}).`);
}
