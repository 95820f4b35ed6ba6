import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EqualizedFocalLoss } from '../../lib';
import { include, library } from '../../lib/native';
import { expectSuccess, root, run, runFixture, runNode } from './child';
import { codeBlocks } from './documents';
import { hasTools } from './tools';

const minutes = 60_000;
const header = path.join(include, 'efl.h');

const program = codeBlocks(path.join('docs', 'embedding.md')).find(
  ({ language }) => language === 'c',
)!;

/** Functions that efl.h declares as part of the library. */
function declared(): string[] {
  const text = readFileSync(header, 'utf8');
  return [...text.matchAll(/^EFL_API [^(]*?(\w+)\(/gm)].map(([, name]) => name!);
}

const canCompile = hasTools('The C interface', 'cc', 'c++', 'make', 'python3');

(canCompile ? describe : describe.skip)('efl.h', () => {
  test.each([
    ['cc', '-std=c99', 'c'],
    ['cc', '-std=c17', 'c'],
    ['c++', '-std=c++11', 'c++'],
    ['c++', '-std=c++20', 'c++'],
  ])('needs nothing else, and has no warning (%s %s)', async (compiler, standard, language) => {
    const warnings = ['-Wall', '-Wextra', '-Wpedantic', '-Wstrict-aliasing', '-Werror'];
    const source = ['-fsyntax-only', '-x', language, header];
    expectSuccess(await run(compiler, [standard, ...warnings, ...source]));
  });
});

const hasNm = process.platform === 'linux' && hasTools('The symbols of libefl', 'nm');

(hasNm ? test : test.skip)('libefl exports what efl.h declares and nothing else', async () => {
  const ended = await run('nm', ['-D', '--defined-only', library]);
  expectSuccess(ended);
  const symbols = ended.stdout.trim().split('\n');
  const names = symbols.map((line) => line.split(' ').at(-1)!);
  expect(names.sort()).toEqual(declared().sort());
});

const hasReadelf = process.platform === 'linux' && hasTools('The needs of libefl', 'readelf');

(hasReadelf ? test : test.skip)('libefl needs no Node.js and no GPU', async () => {
  const { stdout } = await run('readelf', ['--dynamic', library]);
  const needed = [...stdout.matchAll(/NEEDED.*\[(.*)\]/g)].map(([, name]) => name!);
  expect(needed).not.toHaveLength(0);
  for (const name of needed) expect(name).toMatch(/^(lib(stdc\+\+|m|gcc_s|c|pthread|dl)|ld-linux)/);
});

const canClose = process.platform === 'linux' && canCompile;

(canClose ? test : test.skip)(
  'libefl stays when it is closed, for the threads it has parked',
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'efl-close-'));
    const closes = path.join(folder, 'closes');
    const source = path.join(__dirname, 'fixtures', 'close-libefl.c');
    expectSuccess(await run('cc', ['-I', include, '-o', closes, source, '-ldl']));
    const { status, stdout } = await run(closes, [library]);
    rmSync(folder, { recursive: true });
    expect([status, stdout]).toEqual([0, 'there\n']);
  },
);

(canCompile ? describe : describe.skip)('an addon in C that is linked with libefl', () => {
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'efl-c-addon-'));
    const isSource = (file: string): boolean => !/node_modules|build$/.test(path.basename(file));
    cpSync(path.join(root, 'examples', 'c-addon'), folder, { recursive: true, filter: isSource });
    mkdirSync(path.join(folder, 'node_modules'));
    symlinkSync(root, path.join(folder, 'node_modules', 'equalized-focal-loss'));
    symlinkSync(
      path.join(root, 'node_modules', 'node-gyp'),
      path.join(folder, 'node_modules', 'node-gyp'),
    );
    const ended = await runNode([path.join(folder, 'main.mjs')]);
    expectSuccess(ended);
    expect(ended.stdout).toContain('equal to the last bit');
  }, 2 * minutes);

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test('computes every loss as JavaScript does, to the last bit', async () => {
    const ended = await runFixture('c-families.mjs', [folder]);
    expectSuccess(ended);
    const lines = ended.stdout.trim().split('\n');
    expect(lines).toHaveLength(12);
    for (const line of lines) expect(line).toMatch(/^\w+ equal learns$/);
  });

  /** What a script prints to which the addon is known. */
  async function answer(script: string): Promise<string> {
    const addon = path.join(folder, 'build', 'Release', 'training.node');
    const file = path.join(folder, 'script.cjs');
    writeFileSync(file, `const addon = require(${JSON.stringify(addon)});\n${script}`);
    const ended = await runNode([file]);
    expectSuccess(ended);
    return ended.stdout.trim();
  }

  test.each([
    ['C', 'cc', '-std=c99', 'document.c'],
    ['C++', 'c++', '-std=c++11', 'document.cc'],
  ])(
    'and the program of the document, without Node.js, in %s',
    async (_, compiler, standard, name) => {
      const source = path.join(folder, name);
      writeFileSync(source, program.code);
      const binary = `${source}.out`;
      const flags = [standard, '-Wall', '-Wpedantic', '-Werror', `-I${include}`];
      const link = [library, `-Wl,-rpath,${path.dirname(library)}`, '-o', binary];
      expectSuccess(await run(compiler, [...flags, source, ...link]));
      const ended = await run(binary, []);
      expectSuccess(ended);
      const { loss } = new EqualizedFocalLoss({ numClasses: 3 }).forwardBackward(
        Float32Array.of(2, -1, 0, -3, 1, 0.5),
        [1, 0],
        { normalizer: 'positives' },
      );
      expect(Number(ended.stdout)).toBeCloseTo(loss, 8);
    },
  );

  test('gets an error where it was compiled for another interface', async () => {
    const script = `
      addon.createFor(1);
      try { addon.createFor(2); } catch ({ message }) { console.log(message); }`;
    expect(await answer(script)).toMatch(
      /^settings: the library has interface 1 with \d+ bytes, the caller 2 with \d+$/,
    );
  });

  test('passes the words of an error on', async () => {
    const script = `
      const labels = Int32Array.of(1, 7);
      const rest = [undefined, undefined, new Float32Array(3), 0.1, new Float64Array(1), undefined];
      try { addon.train(1, new Float32Array(2), labels, ...rest); }
      catch ({ message }) { console.log(message); }`;
    expect(await answer(script)).toBe(
      'call.levels[0].labels[1]: expected a class, background or an ignored label, received 7',
    );
  });

  test('works in a worker that ends, beside the addon of this package, and afterwards', async () => {
    const script = `
      const { Worker, isMainThread } = require('node:worker_threads');
      const train = () => {
        const losses = new Float64Array(1);
        const features = new Float32Array(200_000).fill(0.5);
        const labels = new Int32Array(200_000).fill(1);
        addon.train(1, features, labels, undefined, undefined, new Float32Array(3), 0.1, losses, undefined);
        return losses[0];
      };
      const { FocalLoss } = require('equalized-focal-loss');
      new FocalLoss({ numClasses: 2 }).forward(new Float32Array(2), [1]);
      if (isMainThread) {
        new Worker(__filename).on('exit', (code) => console.log(code, train() > 0));
      } else {
        train();
      }`;
    expect(await answer(script)).toBe('0 true');
  });
});

test('the paths are the same from CommonJS and ES modules, and absolute', async () => {
  const esm = "import * as n from 'equalized-focal-loss/native'; console.log(n.include, n.library)";
  const cjs = "const n = require('equalized-focal-loss/native'); console.log(n.include, n.library)";
  const [fromEsm, fromCjs] = await Promise.all([
    runNode(['--input-type=module', '-e', esm]),
    runNode(['-e', cjs]),
  ]);
  expectSuccess(fromEsm);
  expect(fromEsm.stdout).toBe(fromCjs.stdout);
  expect(fromEsm.stdout.trim()).toBe(`${include} ${library}`);
  expect(path.isAbsolute(include) && path.isAbsolute(library)).toBe(true);
});
