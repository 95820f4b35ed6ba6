// Inputs in folders: the name of each is that of its content.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A longer input has little that a shorter one has not. */
export const mostBytes = 4096;

export function nameOf(input) {
  return createHash('sha1').update(input).digest('hex').slice(0, 16);
}

/** Those of several folders. */
export function readInputs(folders) {
  const files = folders.flatMap((folder) =>
    readdirSync(folder).map((name) => path.join(folder, name)),
  );
  return files.sort().map((file) => readFileSync(file).subarray(0, mostBytes));
}
