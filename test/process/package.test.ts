import { rmSync } from 'node:fs';
import path from 'node:path';
import { expectSuccess, run } from './child';
import { allBlocks, codeBlocks } from './documents';
import {
  compilePrograms,
  installPacked,
  runProgram,
  writeProgram,
  type UserProject,
} from './user-project';

const minutes = 60_000;
const firstExample = codeBlocks('README.md').find(({ language }) => language === 'ts')!.code;
const documented = allBlocks('ts');
const fileOf = ({ file, line }: { file: string; line: number }): string =>
  `${file}-${line}`.replace(/\W/g, '-') + '.mts';

let project: UserProject;
const programs = new Map<string, string>();

beforeAll(async () => {
  project = await installPacked();
  const write = (name: string, code: string) =>
    programs.set(name, writeProgram(project, name, code));
  write('first.mts', firstExample);
  write('first.cts', firstExample);
  for (const block of documented) write(fileOf(block), block.code);
  await compilePrograms(project);
}, 5 * minutes);

afterAll(() => {
  rmSync(project.folder, { recursive: true, force: true });
});

const runScript = (name: string, code: string) => runProgram(writeProgram(project, name, code));

const asCommonJs = (code: string): string =>
  code.replace(/import (\{[^}]*\}) from ('[^']*');/g, 'const $1 = require($2);');

describe('the packed package', () => {
  test(
    'runs the first example of the README from TypeScript, ES modules and CommonJS alike',
    async () => {
      const typed = await runProgram(programs.get('first.mts')!);
      expect(typed).toMatch(/\d/);
      expect(await runScript('plain.mjs', firstExample)).toBe(typed);
      expect(await runScript('plain.cjs', asCommonJs(firstExample))).toBe(typed);
      expect(await runProgram(programs.get('first.cts')!)).toBe(typed);
    },
    2 * minutes,
  );

  test.each(['equalized-focal-loss', 'equalized-focal-loss/tfjs'])(
    '%s is one module however it is imported',
    async (name) => {
      const code = `
        import { createRequire } from 'node:module';
        import * as esm from '${name}';
        const cjs = createRequire(import.meta.url)('${name}');
        const { default: _, ...named } = esm;
        console.log(Object.keys(named).sort().join() === Object.keys(cjs).sort().join() &&
          Object.keys(named).every((name) => esm[name] === cjs[name]));`;
      expect(await runScript(`one-${name.length}.mjs`, code)).toBe('true\n');
    },
  );

  test('loads TensorFlow.js for its adapter alone', async () => {
    const code = `
      require('equalized-focal-loss');
      const loaded = () => Object.keys(require.cache).some((file) => file.includes('tfjs-core'));
      const before = loaded();
      require('equalized-focal-loss/tfjs');
      console.log(before, loaded());`;
    expect(await runScript('alone.cjs', code)).toBe('false true\n');
  });

  test('needs neither compiler nor scripts, and its command line works', async () => {
    const efl = path.join(project.folder, 'node_modules', '.bin', 'efl');
    const ended = await run(efl, ['doctor'], { env: { PATH: path.dirname(process.execPath) } });
    expectSuccess(ended);
    expect(ended.stdout).toContain('cpu       available');
  });

  test('says what a build from source needs where it is not installed', async () => {
    const efl = path.join(project.folder, 'node_modules', '.bin', 'efl');
    const { status, stderr } = await run(efl, ['build']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/npm install --save-dev cmake-js@\S+ node-addon-api@\S+/);
  });

  test(
    'has of the benchmark what efl bench needs, and no more',
    async () => {
      const efl = path.join(project.folder, 'node_modules', '.bin', 'efl');
      const args = ['bench', '--shapes', '40x7', '--seconds', '5'];
      const ended = await run(efl, args, { cwd: project.folder });
      expectSuccess(ended);
      expect(ended.stdout).toContain('plain JavaScript');
      const packed = project.packedFiles.filter((file) => file.startsWith('dist/bench/'));
      expect(packed.length).toBeLessThan(45);
      expect(packed.filter((file) => /study|gpu|training|python|chart/.test(file))).toEqual([]);
    },
    minutes,
  );

  test('holds what it should and nothing else', () => {
    const tops = new Set(project.packedFiles.map((file) => file.split('/')[0]));
    expect([...tops].sort()).toEqual(
      [
        ...['CHANGELOG.md', 'CMakeLists.txt', 'LICENSE', 'README.md', 'SECURITY.md'],
        ...['dist', 'docs', 'native', 'package.json', 'prebuilds', 'scripts'],
      ].sort(),
    );
    // npm and pnpm would try to compile a package that has one.
    expect(project.packedFiles).not.toContain('binding.gyp');
    expect(project.packedFiles.some((file) => /^prebuilds\/[^/]+\/efl\.node$/.test(file))).toBe(
      true,
    );
    expect(
      project.packedFiles.some((file) => /^prebuilds\/[^/]+\/libefl\.(so|dylib)$/.test(file)),
    ).toBe(true);
    expect(project.packedFiles).toContain('native/include/efl.h');
  });

  test('brings one small package along', () => {
    expect([...project.installed].sort()).toEqual(['commander', 'equalized-focal-loss']);
  });
});

describe('the examples of the documents', () => {
  test.each(documented.map((block) => [`${block.file}:${block.line}`, fileOf(block)] as const))(
    '%s runs',
    async (_, name) => {
      await runProgram(programs.get(name)!);
    },
    minutes,
  );
});
