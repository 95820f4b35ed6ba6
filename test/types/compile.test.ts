import path from 'node:path';
import { expectSuccess, root, runNode } from '../process/child';

// ts-jest only strips the types; this is where they are checked.
test('library and tests compile under the strictest settings', async () => {
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  expectSuccess(await runNode([tsc, '-p', path.join(root, 'tsconfig.json')]));
}, 120_000);
