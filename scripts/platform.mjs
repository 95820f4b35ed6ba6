// Where a binary for this machine is staged: the folder the loader (lib/binding) reads.
import { closeSync, openSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** As in lib/binding/platform.ts, which has to be compiled first. */
function usesMusl() {
  if (process.platform !== 'linux') return false;
  const head = Buffer.alloc(4096);
  const file = openSync(process.execPath, 'r');
  readSync(file, head);
  closeSync(file);
  return head.includes('/ld-musl-');
}

/** `linux-x64`, `linux-x64-musl`, `darwin-arm64` ... */
export function platformTuple() {
  return `${process.platform}-${process.arch}${usesMusl() ? '-musl' : ''}`;
}

export function stagedFolder() {
  return path.join(root, 'prebuilds', platformTuple());
}
