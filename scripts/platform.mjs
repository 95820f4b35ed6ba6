// Where a binary for this machine is staged: the folder the loader (lib/binding) reads.
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
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

const cudaPackage = 'equalized-focal-loss-cuda';

/** The same of the library for GPUs, which is in a package of its own. */
export function cudaFolder() {
  return path.join(root, 'packages', cudaPackage, 'prebuilds', platformTuple());
}

/** That package where the loader finds it, as if it were installed. */
export function linkCudaPackage() {
  const link = path.join(root, 'node_modules', cudaPackage);
  unlinkCudaPackage();
  mkdirSync(path.dirname(link), { recursive: true });
  symlinkSync(path.join(root, 'packages', cudaPackage), link, 'junction');
}

/** A package that was installed by its name stays. */
export function unlinkCudaPackage() {
  const link = path.join(root, 'node_modules', cudaPackage);
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) unlinkSync(link);
}
