import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EflArgumentError, EqualizedFocalLoss, version } from '../../lib';
import { deviceLibraryPath } from '../../lib/binding/devices';
import { variables } from '../../lib/binding/settings';
import { encodeSafetensors, float32Bytes, float64Bytes } from '../reference/safetensors';
import { root, runNode } from './child';

const efl = (args: string[], env: Record<string, string> = {}) =>
  runNode([path.join(root, 'dist', 'cli', 'main.js'), ...args], { env });

describe('efl doctor', () => {
  test('prints platform, Node.js, the binary and each backend with its status', async () => {
    const { status, stdout } = await efl(['doctor']);
    expect(status).toBe(0);
    expect(stdout).toContain(`equalized-focal-loss ${version}`);
    expect(stdout).toMatch(/platform +\S+-\S+/);
    expect(stdout).toMatch(/Node\.js +\d+\.\d+\.\d+ \(Node-API \d+\)/);
    expect(stdout).toMatch(/binary +\S+efl\.node \([^)]+, release\)/);
    expect(stdout).toMatch(/cpu +available: (avx512|avx2|baseline) kernels, \d+ threads?/);
    expect(stdout).toMatch(/cuda +(available: |unavailable \([a-z-]+\): )/);
  });

  test('--json prints the same for programs', async () => {
    const { stdout } = await efl(['doctor', '--json'], { EFL_NUM_THREADS: '2' });
    expect(JSON.parse(stdout)).toMatchObject({
      package: 'equalized-focal-loss',
      version,
      binary: { found: true, intact: true },
      environment: { EFL_NUM_THREADS: '2' },
      backends: [{ name: 'cpu', available: true }, { name: 'cuda' }],
    });
  });

  test('prints the settings of this package, and of other EFL_ variables the names alone', async () => {
    const env = { EFL_DEVICE: 'cpu', EFL_NUM_THREAD: '2', EFL_TOKEN: 'a-secret' };
    const { stdout } = await efl(['doctor'], env);
    expect(stdout).toMatch(/set +EFL_DEVICE=cpu\n/);
    expect(stdout).toMatch(/ignored +EFL_NUM_THREAD: not a setting of this package\n/);
    expect(stdout).toMatch(/ignored +EFL_TOKEN: not a setting of this package\n/);
    const json = (await efl(['doctor', '--json'], env)).stdout;
    expect(JSON.parse(json)).toMatchObject({
      environment: { EFL_DEVICE: 'cpu' },
      unknownVariables: ['EFL_NUM_THREAD', 'EFL_TOKEN'],
    });
    expect(stdout + json).not.toContain('a-secret');
  });

  test('knows every setting that the code reads and the documents have', () => {
    const readBy = (folder: string): string[] =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.(ts|mjs)$/.test(file) && !file.includes('node_modules'))
        .flatMap((file) => {
          const code = readFileSync(path.join(root, folder, file), 'utf8');
          return [...code.matchAll(/(?:process\.env|environment)(?:\[')?\.?(EFL_\w+)/g)];
        })
        .map((match) => match[1]!);
    const documented = readFileSync(path.join(root, 'docs', 'install.md'), 'utf8');
    const rows = [...documented.matchAll(/^\| `(EFL_\w+)`/gm)].map((match) => match[1]!);
    const sorted = (names: readonly string[]): string[] => [...new Set(names)].sort();
    const shipped = ['lib', 'bench', 'scripts'].flatMap(readBy);
    const own = sorted(shipped).filter((name) => !name.startsWith('EFL_REQUIRE_'));
    expect(own).toEqual(sorted(variables));
    expect(sorted(rows)).toEqual(sorted(variables));
  });

  const hasDriver = existsSync('/proc/driver/nvidia');
  const reason = deviceLibraryPath() === undefined ? 'not-installed' : 'no-driver';
  if (hasDriver) console.warn('What doctor says without a driver: skipped, there is one');
  (hasDriver ? test.skip : test)(
    `without a driver the reason for no GPU is ${reason}`,
    async () => {
      const { stdout } = await efl(['doctor', '--json']);
      const { backends } = JSON.parse(stdout) as { backends: unknown[] };
      expect(backends[1]).toMatchObject({ name: 'cuda', available: false, reason });
    },
  );

  test.each([
    ['disabled', { EFL_DISABLE_CUDA: '1' }],
    ['not-built', { EFL_CUDA_LIBRARY: '/nowhere.so' }],
    ['library-not-loadable', { EFL_CUDA_LIBRARY: __filename }],
  ])('says why there is no GPU: %s', async (reason, env) => {
    const { status, stdout } = await efl(['doctor', '--require', 'cuda'], env);
    expect(status).toBe(1);
    expect(stdout).toContain(`unavailable (${reason})`);
  });

  test('exits with 1 where the required backend does not work', async () => {
    expect((await efl(['doctor', '--require', 'cpu'])).status).toBe(0);
    expect((await efl(['doctor', '--require', 'cuda'], { EFL_DISABLE_CUDA: '1' })).status).toBe(1);
  });

  test('exits with 1 and the reason where nothing loads', async () => {
    const { status, stdout } = await efl(['doctor'], { EFL_BINARY: '/nowhere.node' });
    expect(status).toBe(1);
    expect(stdout).toMatch(/cpu +unavailable \(binary-missing\): Could not load the native addon/);
    expect(stdout).toMatch(/cuda +unavailable \(binary-missing\): as for cpu\n/);
    expect(stdout.match(/Could not load/g)).toHaveLength(1);
  });
});

describe('efl inspect', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'efl-cli-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test('sums up a saved state', async () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 3 });
    criterion.loadStateDict({
      pos_grad: [0, 1, 4],
      neg_grad: [9, 2, 4],
      pos_neg: [0, 0.5, 1],
      steps: 7,
    });
    const file = path.join(folder, 'state.safetensors');
    criterion.saveState(file);
    const { status, stdout } = await efl(['inspect', file, '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      classes: 3,
      steps: '7',
      gradientRatio: { least: 0, median: 0.5, mean: 0.5, most: 1 },
      classesWithoutPositives: 1,
      balancedClasses: 1,
      findings: criterion.diagnose(),
    });
  });

  test.each<[string, number[][], RegExp[]]>([
    [
      'of a loss asleep',
      [
        [5, 4],
        [1, 1],
        [1, 1],
      ],
      [/^asleep: g is at least 1 for all 2 classes .* the loss is Focal Loss\.$/m, /reset\(\)/],
    ],
    [
      'of ratios above 1, which are those of EqualizationLossV2',
      [
        [5, 4],
        [1, 1],
        [5, 4],
      ],
      [/^asleep: r is at least 4 .* the loss is cross-entropy\.$/m],
    ],
    [
      'without any gradient',
      [
        [0, 0],
        [0, 0],
        [1, 1],
      ],
      [/^nothing-collected: No gradient/m, /collect: false/],
    ],
    [
      'in which many classes have no positive',
      [
        [1, ...Array<number>(30).fill(0)],
        Array<number>(31).fill(2),
        [0.5, ...Array<number>(30).fill(0)],
      ],
      [/^without-positives: 30 of 31 classes/m, /^ {2}Columns: 1, 2, .*, 20, \.\.$/m],
    ],
  ])('prints the findings of a state %s', async (_, vectors, expected) => {
    const { status, stdout } = await efl(['inspect', stateFile('findings', vectors)]);
    expect(status).toBe(0);
    for (const text of expected) expect(stdout).toMatch(text);
  });

  test('names a file it cannot read, without a stack', async () => {
    const file = path.join(folder, 'foreign');
    writeFileSync(file, 'something else entirely');
    const { status, stderr } = await efl(['inspect', file]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^efl inspect: .*foreign: the header is cut off\n$/);
  });

  /** A file of these vectors of float64, each with its own length. */
  const stateFile = (name: string, vectors: readonly number[][], header: object = {}): string => {
    let at = 0;
    const entries = ['pos_grad', 'neg_grad', 'pos_neg'].map((vector, i) => {
      const { length } = vectors[i]!;
      return [vector, { dtype: 'F64', shape: [length], data_offsets: [at, (at += 8 * length)] }];
    });
    const content = { ...header, ...Object.fromEntries(entries) } as unknown;
    const file = path.join(folder, name);
    writeFileSync(file, encodeSafetensors(content, float64Bytes(vectors.flat())));
    return file;
  };

  test.each([
    ['unequal length', [[1, 1], [1], [1, 1]], '1 values in neg_grad, not 2'],
    ['no length', [[], [], []], 'the state of 0 classes'],
    ['NaN', [[NaN], [1], [1]], 'state.pos_grad[0]: expected finite numbers >= 0, received NaN'],
    ['an infinite sum', [[1], [Infinity], [0]], 'state.neg_grad[0]: expected finite numbers'],
    ['a negative sum', [[-1], [1], [0]], 'state.pos_grad[0]: expected finite numbers >= 0'],
    ['a ratio its sums contradict', [[1], [2], [0.75]], 'a ratio of class 0 that its sums'],
  ])('exits with 1 for vectors of %s, as loadState refuses them', async (_, vectors, problem) => {
    const file = stateFile('vectors', vectors);
    const { status, stdout, stderr } = await efl(['inspect', file]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(problem);
    const criterion = new EqualizedFocalLoss({ numClasses: vectors[0]!.length || 1 });
    expect(() => {
      criterion.loadState(file);
    }).toThrow(EflArgumentError);
  });

  test('takes a ratio above 1 for one of Equalization Loss v2, where nothing else is said', async () => {
    const vectors = [[3], [2], [1.5]];
    expect((await efl(['inspect', stateFile('v2', vectors)])).status).toBe(0);
    const __metadata__ = {
      format: 'equalized-focal-loss',
      loss: 'focal, equalizedFocal',
      steps: '1',
    };
    const { status, stderr } = await efl(['inspect', stateFile('efl', vectors, { __metadata__ })]);
    expect(status).toBe(1);
    expect(stderr).toContain('state.pos_neg[0]: expected numbers in [0, 1], received 1.5');
  });

  test('shows the control characters of a file, and does not send them', async () => {
    const __metadata__ = { format: 'equalized-focal-loss', loss: '\u001b[2J\u009b1m', steps: '1' };
    const file = stateFile('escapes', [[1], [2], [0.5]], { __metadata__ });
    const { status, stdout, stderr } = await efl(['inspect', file]);
    expect(status).toBe(1);
    expect(stdout + stderr.trimEnd()).not.toMatch(/\p{Cc}/u);
    expect(stderr).toContain("a loss that is unknown, '\\u{1b}[2J\\u{9b}1m'");
  });

  test('says of a JSON file that it is one', async () => {
    const file = path.join(folder, 'state.json');
    writeFileSync(file, JSON.stringify({ pos_grad: [1], neg_grad: [1], pos_neg: [1] }));
    const { status, stderr } = await efl(['inspect', file]);
    expect(status).toBe(1);
    expect(stderr).toBe(`efl inspect: ${file}: a JSON file, not a safetensors file\n`);
  });

  test('finds the vectors of a model by their prefix, which it names', async () => {
    const file = path.join(folder, 'model');
    const names = ['pos_grad', 'neg_grad', 'pos_neg'].map((name) => `head.${name}`);
    const entries = names.map((name, i) => [
      name,
      { dtype: 'F32', shape: [1], data_offsets: [4 * i, 4 * i + 4] },
    ]);
    const content = Object.fromEntries(entries) as unknown;
    writeFileSync(file, encodeSafetensors(content, float32Bytes([1, 2, 0.5])));
    const without = await efl(['inspect', file]);
    expect(without.status).toBe(1);
    expect(without.stderr).toContain(
      `there is ${names.join(', ')}: give the option prefix, 'head.'`,
    );
    const { status, stdout } = await efl(['inspect', file, '--prefix', 'head.', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ classes: 1, steps: 'unknown' });
  });

  test('works where the addon does not load', async () => {
    const file = stateFile('plain', [[1], [2], [0.5]]);
    expect((await efl(['inspect', file], { EFL_BINARY: '/nowhere.node' })).status).toBe(0);
  });
});
