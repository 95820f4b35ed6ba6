import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EqualizedFocalLoss, version } from '../../lib';
import { addonPath } from '../../lib/binding/load';
import { variables } from '../../lib/binding/settings';
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
    expect(stdout).toMatch(/binary +\S+efl\.node \(\S+, release\)/);
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

  const library = path.join(path.dirname(addonPath()), 'libefl_cuda.so');
  const hasDriver = existsSync('/proc/driver/nvidia');
  const reason = existsSync(library) ? 'no-driver' : 'not-built';
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
    });
  });

  test('names a file it cannot read, without a stack', async () => {
    const file = path.join(folder, 'foreign');
    writeFileSync(file, 'something else entirely');
    const { status, stderr } = await efl(['inspect', file]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^efl inspect: .*foreign: the header is cut off\n$/);
  });
});
