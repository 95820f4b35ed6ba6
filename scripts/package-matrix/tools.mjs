// What the packed package is checked with: pinned, and installed here by the first use.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installDependencies } from '../install-dependencies.mjs';

const folder = path.dirname(fileURLToPath(import.meta.url));
const modules = path.join(folder, 'node_modules');

/** Why an entry of the matrix cannot be checked here. */
export class NotThere extends Error {}

export async function installTools() {
  const code = await installDependencies(folder, 'the package matrix');
  if (code !== 0) throw new Error(`npm ci of scripts/package-matrix ended with ${code}`);
}

/** A file or folder of a tool. npm leaves out the binaries for other platforms. */
export function tool(...parts) {
  const file = path.join(modules, ...parts);
  if (existsSync(file)) return file;
  const here = `${process.platform}-${process.arch}`;
  throw new NotThere(
    here === 'linux-x64'
      ? `npm has not installed ${parts[0]}`
      : `scripts/package-matrix/package.json has it for linux-x64, this is ${here}`,
  );
}
