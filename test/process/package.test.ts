import {
  cpSync,
  existsSync,
  mkdtempSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packages as tensorflowPackages } from '../adapters/tfjs/tensorflow';
import { expectSuccess, root, run, runNode } from './child';
import { allBlocks, codeBlocks } from './documents';
import { hasTools } from './tools';

const minutes = 60_000;
const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const firstExample = codeBlocks('README.md').find(({ language }) => language === 'ts')!.code;

let project: string;
let packedFiles: string[];
let installed: string[];

/** An empty project that has installed the packed package. TensorFlow.js is put beside it afterwards. */
beforeAll(async () => {
  project = mkdtempSync(path.join(tmpdir(), 'efl user project-'));
  const packed = await run('npm', ['pack', '--json', '--pack-destination', project]);
  expectSuccess(packed);
  const report = JSON.parse(packed.stdout) as { filename: string; files: { path: string }[] }[];
  packedFiles = report[0]!.files.map((file) => file.path);
  writeFileSync(path.join(project, 'package.json'), '{ "name": "user", "version": "1.0.0" }');
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  expectSuccess(await run('npm', [...args, `./${report[0]!.filename}`], { cwd: project }));
  const modules = path.join(project, 'node_modules');
  installed = readdirSync(modules).filter((name) => !name.startsWith('.'));
  symlinkSync(
    path.join(tensorflowPackages, '@tensorflow'),
    path.join(modules, '@tensorflow'),
    'junction',
  );
  const compilerOptions = {
    strict: true,
    target: 'es2022',
    module: 'node16',
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules', '@types')],
    skipLibCheck: false,
  };
  writeFileSync(path.join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
}, 5 * minutes);

afterAll(() => {
  rmSync(project, { recursive: true, force: true });
});

/** Writes a program into the project, compiles it if it is TypeScript, and returns what it prints. */
async function runProgram(name: string, code: string): Promise<string> {
  const folder = path.join(project, 'programs', name.replace(/\W/g, '-'));
  mkdirSync(folder, { recursive: true });
  let file = path.join(folder, name);
  writeFileSync(file, code);
  if (/\.[mc]?ts$/.test(name)) {
    const config = path.join(folder, 'tsconfig.json');
    // The declarations of TensorFlow.js do not compile by themselves.
    const compilerOptions = { skipLibCheck: code.includes('/tfjs') };
    const settings = { extends: '../../tsconfig.json', include: ['*'], compilerOptions };
    writeFileSync(config, JSON.stringify(settings));
    expectSuccess(await runNode([tsc, '-p', config], { cwd: folder }));
    file = file.replace(/ts$/, 'js');
  }
  const ended = await runNode([file], { cwd: folder });
  expectSuccess(ended);
  return ended.stdout;
}

const asCommonJs = (code: string): string =>
  code.replace(/import (\{[^}]*\}) from ('[^']*');/g, 'const $1 = require($2);');

describe('the packed package', () => {
  test(
    'runs the first example of the README from TypeScript, ES modules and CommonJS alike',
    async () => {
      const typed = await runProgram('first.mts', firstExample);
      expect(typed).toMatch(/\d/);
      expect(await runProgram('first.mjs', firstExample)).toBe(typed);
      expect(await runProgram('first.cjs', asCommonJs(firstExample))).toBe(typed);
      expect(await runProgram('first.cts', firstExample)).toBe(typed);
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
      expect(await runProgram(`one-${name.length}.mjs`, code)).toBe('true\n');
    },
  );

  test('loads TensorFlow.js for its adapter alone', async () => {
    const code = `
      require('equalized-focal-loss');
      const loaded = () => Object.keys(require.cache).some((file) => file.includes('tfjs-core'));
      const before = loaded();
      require('equalized-focal-loss/tfjs');
      console.log(before, loaded());`;
    expect(await runProgram('alone.cjs', code)).toBe('false true\n');
  });

  test('needs neither compiler nor scripts, and its command line works', async () => {
    const efl = path.join(project, 'node_modules', '.bin', 'efl');
    const ended = await run(efl, ['doctor'], { env: { PATH: path.dirname(process.execPath) } });
    expectSuccess(ended);
    expect(ended.stdout).toContain('cpu       available');
  });

  test('says what a build from source needs where it is not installed', async () => {
    const efl = path.join(project, 'node_modules', '.bin', 'efl');
    const { status, stderr } = await run(efl, ['build']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/npm install --save-dev cmake-js@\S+ node-addon-api@\S+/);
  });

  test('holds what it should and nothing else', () => {
    const tops = new Set(packedFiles.map((file) => file.split('/')[0]));
    expect([...tops].sort()).toEqual(
      [
        ...['CHANGELOG.md', 'CMakeLists.txt', 'LICENSE', 'README.md', 'SECURITY.md'],
        ...['dist', 'native', 'package.json', 'prebuilds', 'scripts'],
      ].sort(),
    );
    // npm and pnpm would try to compile a package that has one.
    expect(packedFiles).not.toContain('binding.gyp');
    expect(packedFiles.some((file) => /^prebuilds\/[^/]+\/efl\.node$/.test(file))).toBe(true);
    expect(packedFiles.some((file) => /^prebuilds\/[^/]+\/libefl\.(so|dylib)$/.test(file))).toBe(
      true,
    );
    expect(packedFiles).toContain('native/include/efl.h');
  });

  test('brings one small package along', () => {
    expect(installed.sort()).toEqual(['commander', 'equalized-focal-loss']);
  });

  test('has declarations for compilers that do not read exports', async () => {
    const folder = path.join(project, 'programs', 'node10');
    mkdirSync(folder, { recursive: true });
    const code = `
      import { FocalLoss } from 'equalized-focal-loss';
      import { tfLoss } from 'equalized-focal-loss/tfjs';
      import { include } from 'equalized-focal-loss/native';
      export const typed: [string, Function] = [include, tfLoss(new FocalLoss({ numClasses: 2 }))];`;
    writeFileSync(path.join(folder, 'main.ts'), code);
    const options = ['--module', 'commonjs', '--moduleResolution', 'node10', '--target', 'es2022'];
    const where = ['--typeRoots', path.join(root, 'node_modules', '@types'), '--types', 'node'];
    const flags = ['--noEmit', '--strict', '--skipLibCheck'];
    expectSuccess(await runNode([tsc, ...options, ...where, ...flags, 'main.ts'], { cwd: folder }));
  });

  test(
    'passes publint',
    async () => {
      const publint = path.join(root, 'node_modules', 'publint', 'src', 'cli.js');
      expectSuccess(await runNode([publint, '--strict']));
    },
    minutes,
  );
});

const hasCompiler = hasTools('The example in C from the packed package', 'cc', 'make', 'python3');
// The demonstration has a test of its own, and takes minutes.
const examples = readdirSync(path.join(root, 'examples'))
  .filter((name) => existsSync(path.join(root, 'examples', name, 'package.json')))
  .filter((name) => name !== 'long-tailed-detection' && (name !== 'c-addon' || hasCompiler));

describe('the examples for embedding', () => {
  test.each(examples)(
    '%s runs from the packed package',
    async (name) => {
      // Its own dependencies come from where run-example.mjs installs them.
      const own = path.join(root, 'examples', name);
      const install = path.join(root, 'scripts', 'install-dependencies.mjs');
      expectSuccess(await runNode([install, own]));
      const copy = path.join(project, 'examples', name);
      // A tsconfig.json maps the package to the sources of this repository.
      const isSource = (file: string): boolean =>
        !/node_modules|build$|tsconfig/.test(path.basename(file));
      cpSync(own, copy, { recursive: true, filter: isSource });
      const dependencies = path.join(own, 'node_modules');
      if (existsSync(dependencies)) symlinkSync(dependencies, path.join(copy, 'node_modules'));
      const { scripts } = JSON.parse(readFileSync(path.join(own, 'package.json'), 'utf8')) as {
        scripts: { start: string };
      };
      expectSuccess(await runNode(scripts.start.split(' ').slice(1), { cwd: copy }));
    },
    3 * minutes,
  );
});

describe('the examples of the documents', () => {
  test.each(allBlocks('ts').map((block) => [`${block.file}:${block.line}`, block.code] as const))(
    '%s runs',
    async (name, code) => {
      await runProgram(`${name.replace(/\W/g, '-')}.mts`, code);
    },
    minutes,
  );
});
