// Where a binary for this machine is staged: the folder the loader (lib/binding) reads.
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** `linux-x64`, `linux-x64-musl`, `darwin-arm64` ... */
export function platformTuple() {
  const musl = process.platform === 'linux' && require('detect-libc').familySync() === 'musl';
  return `${process.platform}-${process.arch}${musl ? '-musl' : ''}`;
}

export function stagedFolder() {
  return path.join(root, 'prebuilds', platformTuple());
}
