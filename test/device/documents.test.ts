import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import ts from 'typescript';
import { expectSuccess, root, runNode } from '../process/child';
import { codeBlocks } from '../process/documents';
import { describeOnDevice } from './emulated';

const examples = ['cuda.md', 'embedding.md']
  .flatMap((file) => codeBlocks(path.join('docs', file)))
  .filter(({ language, code }) => language === 'ts' && code.includes('Cuda'));

describeOnDevice('the examples of docs/cuda.md and docs/embedding.md', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'efl-cuda-'))));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test.each(examples.map(({ file, line, code }) => [file, line, code] as const))(
    'that of %s, line %i runs on a device',
    async (_, line, code) => {
      const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
      const { outputText } = ts.transpileModule(code, { compilerOptions: options });
      const file = path.join(folder, `${line}.cjs`);
      const entry = JSON.stringify(path.join(root, 'dist', 'index.js'));
      writeFileSync(file, outputText.replace('"equalized-focal-loss"', entry));
      const library = process.env['EFL_CUDA_LIBRARY'];
      const ended = await runNode([file], { env: library ? { EFL_CUDA_LIBRARY: library } : {} });
      expectSuccess(ended);
      expect(ended.stdout).not.toContain('no GPU');
    },
  );

  test('there are some', () => {
    expect(examples.length).toBeGreaterThan(1);
  });
});
