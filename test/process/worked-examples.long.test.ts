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

const hasAll = hasTools('The worked examples of CONTRIBUTING.md', 'cmake', 'git');

/** The files that each change may touch: a test is one of them, a header of the C interface another. */
const changes = [
  { what: 'a loss', test: 'brier-loss', files: 7, passed: 4 },
  { what: 'an option of a loss', test: 'negative-weight', files: 4, passed: 3 },
  { what: 'an option of a call', test: 'call-weight', files: 4, passed: 2 },
];

(hasAll ? describe : describe.skip)('the changes that CONTRIBUTING.md shows', () => {
  const copy = mkdtempSync(path.join(tmpdir(), 'efl-examples-'));
  const differences = codeBlocks('CONTRIBUTING.md').filter(({ language }) => language === 'diff');

  beforeAll(async () => {
    for (const file of sources) {
      cpSync(path.join(root, file), path.join(copy, file), { recursive: true });
    }
    symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
    expect(differences).toHaveLength(changes.length);
    for (const { code } of differences) {
      writeFileSync(path.join(copy, 'change.diff'), code);
      expectSuccess(await run('git', ['apply', 'change.diff'], { cwd: copy }));
    }
    const build = path.join(copy, 'scripts', 'build-native.mjs');
    expectSuccess(await runNode([build, 'cmake', '--portable', '--debug'], { cwd: copy }));
  }, 5 * minutes);

  afterAll(() => {
    rmSync(copy, { recursive: true, force: true });
  });

  test.each(changes.map((change, place) => ({ ...change, place })))(
    '$what touches $files files',
    ({ files, place }) => {
      expect(differences[place]!.code.match(/^\+\+\+ /gm)).toHaveLength(files);
    },
  );

  test.each(changes)(
    '$what is all that it takes: its test passes',
    async ({ test: name, passed }) => {
      const jest = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
      const ended = await runNode([jest, `test/unit/${name}.test.ts`], { cwd: copy });
      expectSuccess(ended);
      expect(ended.stderr).toMatch(new RegExp(`Tests: +${passed} passed, ${passed} total`));
    },
    minutes,
  );
});
