import path from 'node:path';
import type { Contender } from './contender';
import { contendersIn } from './load';

/** Files of this folder, in the order in which they are reported. */
const allOwn = ['copy', 'ours', 'plain-javascript', 'onnxruntime', 'tfjs', 'jax-js', 'python'];

/** A contender and the file its process loads it from. */
export interface Listed extends Contender {
  readonly file: string;
}

/** What a user's contender in JavaScript need not say. */
const unnamed = { family: 'javascript', threads: 1 } as const;

/** Those in files of this folder, all of which by default, and then those in files of the user. */
export function listContenders(files: readonly string[], own = allOwn): Listed[] {
  const ownFiles = own.map((name) => path.join(__dirname, `${name}${path.extname(__filename)}`));
  const listed = [...ownFiles, ...files.map((file) => path.resolve(file))].flatMap((file) =>
    contendersIn(file).map((contender): Listed => ({ ...unnamed, ...contender, file })),
  );
  listed.forEach(({ id }, i) => {
    if (listed.findIndex((other) => other.id === id) !== i) {
      throw new Error(`two contenders have the id ${id}`);
    }
  });
  return listed;
}
