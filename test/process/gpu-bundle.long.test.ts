import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseReport } from '../../bench/report/schema';
import { expectSuccess, root, run, runNode } from './child';
import { hasTools } from './tools';

const minutes = 60_000;
const scripts = path.join(root, 'scripts');

interface Summary {
  readonly emulated: boolean;
  readonly passed: boolean;
  readonly steps: readonly { readonly step: string; readonly outcome: string; reason?: string }[];
}

const tools = ['cmake', 'tar', 'env'];
const withTools = hasTools('The bundle for GPUs', ...tools) ? describe : describe.skip;

withTools('the bundle for GPUs', () => {
  let folder: string;
  let bundle: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'efl gpu bundle-'));
    bundle = path.join(folder, 'efl-gpu-bundle');
    // Not the Node.js that is pinned: there may be no network.
    const args = ['--emulated', '--node', process.execPath, '--out', folder];
    expectSuccess(await runNode([path.join(scripts, 'gpu-bundle.mjs'), ...args]));
  }, 5 * minutes);
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** From another folder, with nothing of this machine on the PATH. */
  const runBundle = (args: readonly string[]) => {
    const empty = path.join(folder, 'empty');
    mkdirSync(empty, { recursive: true });
    const command = ['-i', `PATH=${empty}`, '/bin/sh', path.join(bundle, 'run.sh'), ...args];
    return run('env', command, { cwd: folder });
  };
  const summaryIn = (out: string) =>
    JSON.parse(readFileSync(path.join(folder, out, 'summary.json'), 'utf8')) as Summary;

  test('is an archive that is not too large', () => {
    const { size } = statSync(path.join(folder, 'efl-gpu-bundle.tar.gz'));
    expect(size).toBeGreaterThan(10e6);
    expect(size).toBeLessThan(60e6);
  });

  test('has no TypeScript, which compiles nothing there', () => {
    expect(existsSync(path.join(bundle, 'node_modules', 'jest'))).toBe(true);
    expect(existsSync(path.join(bundle, 'node_modules', 'typescript'))).toBe(false);
    expect(existsSync(path.join(bundle, 'native', 'cuda', 'library.cu'))).toBe(true);
  });

  test(
    'runs to its end on the emulated device, and calls nothing a figure of a GPU',
    async () => {
      const ended = await runBundle(['--emulated', '--quick', '--out', 'emulated']);
      expectSuccess(ended);
      const { emulated, passed, steps } = summaryIn('emulated');
      expect({ emulated, passed }).toEqual({ emulated: true, passed: true });
      const outcomes = Object.fromEntries(steps.map(({ step, outcome }) => [step, outcome]));
      const skipped = { memcheck: 'skipped', racecheck: 'skipped', initcheck: 'skipped' };
      expect(outcomes).toEqual({
        ...{ doctor: 'passed', tests: 'passed', kernels: 'passed' },
        ...{ ...skipped, synccheck: 'skipped', benchmark: 'passed' },
      });
      expect(steps.find(({ step }) => step === 'memcheck')!.reason).toMatch(/^EMULATED/);
      const results = path.join(folder, 'emulated', 'benchmark');
      const report = parseReport(readFileSync(path.join(results, 'report.json'), 'utf8'));
      expect(report.gpu!.emulated).toBe(true);
      expect(report.notMeasured).toEqual([]);
      expect(report.gpu!.workloads).toHaveLength(6);
      expect(JSON.stringify(report)).not.toContain('"median"');
      for (const name of ['report.md', 'report.html']) {
        expect(readFileSync(path.join(results, name), 'utf8')).toMatch(/EMULATED/);
      }
      expect(ended.stdout).toMatch(/== EMULATED: benchmark/);
    },
    3 * minutes,
  );

  const hasDriver = existsSync('/proc/driver/nvidia');
  if (hasDriver) console.warn('What the bundle does without a GPU: skipped, there is a driver');
  (hasDriver ? test.skip : test)(
    'without a GPU every step fails or says why it is skipped, and the exit code is 1',
    async () => {
      expect((await runBundle(['--quick', '--out', 'none'])).status).toBe(1);
      const { passed, steps } = summaryIn('none');
      expect(passed).toBe(false);
      const failed = steps.filter(({ outcome }) => outcome === 'failed').map(({ step }) => step);
      expect(failed).toEqual(['doctor', 'tests', 'kernels', 'benchmark']);
      const reasons = steps.map(({ reason }) => reason);
      expect(reasons).not.toContain(undefined);
    },
    2 * minutes,
  );

  test('refuses options that it does not have', async () => {
    const { status, stderr } = await runBundle(['--fast']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/--fast.*\n.*usage: run\.sh/s);
  });
});

test('the pinned Node.js is taken with its checksum alone', async () => {
  const module = path.join(scripts, 'gpu-bundle', 'node-binary.mjs');
  const program = `
    import { pinned, requireIntegrity } from ${JSON.stringify(module)};
    if (!/^2[02]\\.\\d+\\.\\d+$/.test(pinned.version)) throw new Error(pinned.version);
    const { createHash } = await import('node:crypto');
    const { readFileSync } = await import('node:fs');
    const own = createHash('sha512').update(readFileSync('package.json')).digest('base64');
    requireIntegrity('package.json', 'sha512-' + own);
    try {
      requireIntegrity('package.json');
    } catch (error) {
      console.log(error.message);
    }`;
  const ended = await runNode(['--input-type=module', '-e', program]);
  expectSuccess(ended);
  expect(ended.stdout).toMatch(
    /^package\.json has the checksum sha512-\S+, pinned is sha512-PeHQM8/,
  );
});
