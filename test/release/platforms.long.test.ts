/**
 * Every binary of a release that can be run on Linux x64 trains there: those of other platforms under
 * QEMU, with musl's own loader, or under Wine. Those for macOS cannot (binaries.long.test.ts).
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { backends } from '../../lib';
import { root, run } from '../process/child';
import { describeRelease } from './release';
import {
  glibcArm64,
  glibcX64,
  installRuntimes,
  muslArm64,
  muslX64,
  removeScratch,
  scratch,
  windowsX64,
  type Runtime,
} from './runtimes';

interface Report {
  readonly platform: string;
  readonly arch: string;
  readonly runtime: string;
  readonly cpu: { readonly detail: string };
  readonly results: Readonly<Record<string, readonly number[]>>;
}

const minutes = 60_000;

/** Runs test/release/trial.cjs with these kernels and returns what it wrote. */
async function trial(runtime: Runtime, kernels: string): Promise<Report> {
  const output = path.join(scratch, `${runtime.tuple}-${kernels}.json`);
  const seen = runtime.path ?? ((file) => file);
  const [program, ...first] = runtime.command;
  const args = [...first, ...[path.join(__dirname, 'trial.cjs'), root, output].map(seen)];
  const env = { ...runtime.env, EFL_CPU_ISA: kernels, EFL_NUM_THREADS: '2' };
  const { status, stdout, stderr } = await run(program!, args, { env });
  const text = existsSync(output) ? readFileSync(output, 'utf8') : '{}';
  const report = JSON.parse(text) as Report & { error?: string };
  if (status !== 0 || report.error !== undefined || !('results' in report)) {
    throw new Error(`ended with ${status}\n${report.error ?? ''}\n${stdout}\n${stderr}`);
  }
  expect(report.cpu.detail).toContain(`${kernels} kernels`);
  return report;
}

/** The largest difference, as a share of the larger of a value and a thousandth of the largest one. */
function difference(one: Report, other: Report): number {
  expect(Object.keys(one.results)).toEqual(Object.keys(other.results));
  const differences = Object.entries(one.results).map(([name, values]) => {
    const others = other.results[name]!;
    expect(values).toHaveLength(others.length);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return values.reduce((worst, value, i) => {
      const scale = Math.max(Math.abs(value), largest / 1000);
      return value === others[i] ? worst : Math.max(worst, Math.abs(value - others[i]!) / scale);
    }, 0);
  });
  return Math.max(...differences);
}

const isRunnable = (kernels: string): boolean => {
  const best = backends()[0]!.detail.split(' ')[0]!;
  const order = ['scalar', 'baseline', 'avx2', 'avx512'];
  return order.indexOf(kernels) <= order.indexOf(best);
};

/** Scalar kernels take exponentials and logarithms from the C library; the others bring their own. */
const tolerance = (kernels: string): number => (kernels === 'scalar' ? 1e-6 : 0);

function withKernels(kernels: string): jest.It {
  if (isRunnable(kernels)) return test;
  const reason = `this processor cannot run ${kernels} kernels`;
  if (process.env['EFL_REQUIRE_KERNELS'] === '1') throw new Error(reason);
  console.warn(`A test of the platforms is skipped: ${reason}`);
  return test.skip;
}

describeRelease('the binaries of a release', () => {
  const reference = new Map<string, Report>();
  let musl: Runtime;
  let muslOnArm: Runtime;

  beforeAll(async () => {
    await installRuntimes();
    [musl, muslOnArm] = await Promise.all([muslX64(), muslArm64()]);
  }, 10 * minutes);

  afterAll(removeScratch);

  async function onGlibc(runtime: Runtime, kernels: string): Promise<Report> {
    const key = `${runtime.tuple} ${kernels}`;
    if (!reference.has(key)) reference.set(key, await trial(runtime, kernels));
    return reference.get(key)!;
  }

  describe.each(['avx512', 'avx2', 'baseline', 'scalar'])('with %s kernels', (kernels) => {
    const exactly = tolerance(kernels) === 0 ? 'bits' : 'values to 1e-6';

    withKernels(kernels)(
      'train on Linux x64 with glibc',
      async () => {
        const report = await onGlibc(glibcX64(), kernels);
        expect(report).toMatchObject({ platform: 'linux', arch: 'x64' });
      },
      minutes,
    );

    withKernels(kernels)(
      `train on Linux x64 with musl, with the ${exactly} of glibc`,
      async () => {
        const report = await trial(musl, kernels);
        expect(report).toMatchObject({ platform: 'linux', arch: 'x64' });
        expect(report.runtime).toMatch(/^Bun /);
        const glibc = await onGlibc(glibcX64(), kernels);
        expect(difference(report, glibc)).toBeLessThanOrEqual(tolerance(kernels));
      },
      minutes,
    );

    withKernels(kernels)(
      `train on Windows x64, with the ${exactly} of Linux`,
      async () => {
        const report = await trial(windowsX64(), kernels);
        expect(report).toMatchObject({ platform: 'win32', arch: 'x64' });
        const glibc = await onGlibc(glibcX64(), kernels);
        expect(difference(report, glibc)).toBeLessThanOrEqual(tolerance(kernels));
      },
      3 * minutes,
    );
  });

  describe.each(['baseline', 'scalar'])('for arm64, with %s kernels', (kernels) => {
    const exactly = tolerance(kernels) === 0 ? 'bits' : 'values to 1e-6';

    test(
      'train on Linux with glibc, with the values of x64 to 1e-6',
      async () => {
        const report = await onGlibc(glibcArm64(), kernels);
        expect(report).toMatchObject({ platform: 'linux', arch: 'arm64' });
        expect(difference(report, await onGlibc(glibcX64(), kernels))).toBeLessThan(1e-6);
      },
      5 * minutes,
    );

    test(
      `train on Linux with musl, with the ${exactly} of glibc`,
      async () => {
        const report = await trial(muslOnArm, kernels);
        expect(report).toMatchObject({ platform: 'linux', arch: 'arm64' });
        const glibc = await onGlibc(glibcArm64(), kernels);
        expect(difference(report, glibc)).toBeLessThanOrEqual(tolerance(kernels));
      },
      5 * minutes,
    );
  });
});
