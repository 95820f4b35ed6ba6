import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expectSuccess, root, run, runNode } from './child';
import { codeBlocks } from './documents';
import { hasTools } from './tools';

const minutes = 60_000;
const sources = [
  ...['lib', 'native', 'scripts', 'test', 'jest.config.cjs'],
  ...['CMakeLists.txt', 'package.json', 'tsconfig.json'],
];

const hasAll = hasTools('The new loss of CONTRIBUTING.md', 'cmake', 'git');

(hasAll ? describe : describe.skip)('the new loss that CONTRIBUTING.md shows', () => {
  const copy = mkdtempSync(path.join(tmpdir(), 'efl-new-loss-'));

  beforeAll(() => {
    for (const file of sources) {
      cpSync(path.join(root, file), path.join(copy, file), { recursive: true });
    }
    symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  });

  afterAll(() => {
    rmSync(copy, { recursive: true, force: true });
  });

  test(
    'is all that it takes: it builds, and its test passes',
    async () => {
      const differences = codeBlocks('CONTRIBUTING.md').filter(
        ({ language }) => language === 'diff',
      );
      expect(differences).toHaveLength(1);
      writeFileSync(path.join(copy, 'new-loss.diff'), differences[0]!.code);
      expectSuccess(await run('git', ['apply', 'new-loss.diff'], { cwd: copy }));

      const build = path.join(copy, 'scripts', 'build-native.mjs');
      expectSuccess(await runNode([build, 'cmake', '--portable', '--debug'], { cwd: copy }));
      const jest = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
      const ended = await runNode([jest, 'test/unit/brier-loss.test.ts'], { cwd: copy });
      expectSuccess(ended);
      expect(ended.stderr).toMatch(/Tests: +4 passed, 4 total/);
    },
    5 * minutes,
  );
});
