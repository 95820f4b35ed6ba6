import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expectSuccess, root, runNode } from '../../process/child';

/** The packages of TensorFlow.js are those of an example, which `npm test` installs before. */
export const example = path.join(root, 'examples', 'tfjs-training');
export const packages = path.join(example, 'node_modules');

export interface Outcome<Result> {
  readonly result: Result;
  readonly stderr: string;
}

/**
 * Runs a fixture of this folder in a process of its own, since backends and kernels are global, and
 * returns the JSON it prints. The example's tsconfig.json tells tsx where the packages are.
 */
export async function runFixture<Result>(
  name: string,
  ...args: readonly string[]
): Promise<Outcome<Result>> {
  const tsx = path.join(packages, 'tsx', 'dist', 'loader.mjs');
  if (!existsSync(tsx)) {
    throw new Error('node scripts/install-dependencies.mjs examples/tfjs-training comes first');
  }
  const file = path.join(__dirname, 'fixtures', `${name}.cjs`);
  const ended = await runNode(['--import', pathToFileURL(tsx).href, file, ...args], {
    cwd: example,
  });
  expectSuccess(ended);
  return { result: JSON.parse(ended.stdout) as Result, stderr: ended.stderr };
}
