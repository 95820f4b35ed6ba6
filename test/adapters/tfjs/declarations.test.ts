import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expectSuccess, root, runNode } from '../../process/child';
import { packages } from './tensorflow';

test('the adapter compiles with the declarations of TensorFlow.js itself', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'efl-declarations-'));
  const tensorflow = path.join(packages, '@tensorflow', 'tfjs-core', 'dist', 'index.d.ts');
  const config = {
    extends: path.join(root, 'tsconfig.json'),
    compilerOptions: {
      rootDir: root,
      typeRoots: [path.join(root, 'node_modules', '@types')],
      types: ['node'],
      paths: { '@tensorflow/tfjs-core': [tensorflow] },
    },
    // Without tfjs-core.d.ts, which stands in for them in every other build.
    include: [],
    files: [path.join(root, 'lib', 'adapters', 'tfjs', 'index.ts')],
  };
  const file = path.join(folder, 'tsconfig.json');
  writeFileSync(file, JSON.stringify(config));
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  expectSuccess(await runNode([tsc, '-p', file]));
  rmSync(folder, { recursive: true });
}, 60_000);
