import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report, Spread } from '../../bench/report/report';
import { parseReport } from '../../bench/report/schema';
import { currentPlatform } from '../../lib/binding/platform';
import { expectSuccess, root, runNode } from './child';

const folder = mkdtempSync(path.join(tmpdir(), 'efl-bench-test-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const minute = 60_000;
const program = path.join(root, 'dist', 'bench', 'main.js');
const troublesome = path.join(__dirname, 'fixtures', 'contenders.cjs');
/** One small workload, and of the contenders those that all are compared with. */
const small = ['--shapes', '100x80', '--rounds', '3', '--only', 'copy'];

const bench = (args: readonly string[], env: Record<string, string> = {}) =>
  runNode([program, ...args], { env });

const readReport = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Report;

describe('a run', () => {
  const file = path.join(folder, 'report.json');
  let stdout: string;
  let report: Report;

  beforeAll(async () => {
    const only = ['--only', 'ours,plain,tfjs-node,user'];
    const own = ['--contender', troublesome];
    const ended = await bench([...small, ...only, ...own, '--json', file]);
    expectSuccess(ended);
    stdout = ended.stdout;
    report = readReport(file);
  }, 2 * minute);

  const reasonFor = (id: string) =>
    report.workloads[0]!.skipped.find((skipped) => skipped.id === id)?.reason;
  const result = (id: string) => report.workloads[0]!.results.find((one) => one.id === id);

  test('checks and times every contender, and prints and stores the ratios', () => {
    const { workloads, machine } = report;
    expect(workloads).toHaveLength(1);
    const ids = workloads[0]!.results.map(({ id }) => id);
    expect(ids).toEqual(
      expect.arrayContaining([
        'copy-1',
        'plain-javascript',
        `ours-${machine.instructionSets[0]!}-1`,
      ]),
    );
    expect(result('copy-1')!.timesCopy.median).toBe(1);
    expect(result('plain-javascript')!.timesOurs.median).toBeGreaterThan(1);
    expect(result('plain-javascript')!.errors!.gradient).toBeLessThan(1e-6);
    expect(stdout).toMatch(/plain JavaScript/);
  });

  test('does not time what computes something else, and says by how much', () => {
    expect(reasonFor('user-doubled')).toMatch(/something else: .*gradient by 1\.0e\+0/);
    expect(reasonFor('user-nan')).toMatch(/something else: .*loss by Infinity/);
    expect(reasonFor('user-unchecked')).toMatch(/no solution to check/);
    expect(reasonFor('user-idle')).toMatch(/it has not written loss\.f64/);
    expect(stdout).toMatch(/user-doubled .*something else/);
  });

  test('goes on without a contender that dies, and names one that is not installed', () => {
    expect(reasonFor('user-dying')).toMatch(/ended with code 3: out of luck/);
    expect(reasonFor('tfjs-node')).toMatch(/tfjs-node is not installed \(npm install /);
  });

  test('stores what its schema says', () => {
    expect(parseReport(readFileSync(file, 'utf8'))).toEqual(report);
  });

  test('takes no harm from what libraries print', () => {
    expect(result('user-talkative')).toBeDefined();
  });

  test(
    'compared with an older report, ends with 1 where the package has become slower',
    async () => {
      const old = path.join(folder, 'old.json');
      const compareWith = (factor: number) => {
        const scale = ({ median, lower, upper }: Spread): Spread => ({
          ...{ median: median * factor, lower: lower * factor, upper: upper * factor },
        });
        const workloads = report.workloads.map((workload) => ({
          ...workload,
          results: workload.results.map((one) => ({ ...one, timesCopy: scale(one.timesCopy) })),
        }));
        writeFileSync(old, JSON.stringify({ ...report, workloads }));
        return bench([...small, '--compare', old]);
      };
      expect((await compareWith(1e-4)).status).toBe(1);
      expect((await compareWith(1e4)).status).toBe(0);
      const other = report.workloads.map((workload) => ({ ...workload, name: 'another' }));
      writeFileSync(old, JSON.stringify({ ...report, workloads: other }));
      const nothing = await bench([...small, '--compare', old]);
      expect(nothing.status).toBe(2);
      expect(nothing.stderr).toMatch(/nothing in common/);
    },
    2 * minute,
  );
});

describe('where the logits lie', () => {
  const baseline = { EFL_CPU_ISA: 'baseline' };

  test(
    'contenders are checked and timed with those of a confident head',
    async () => {
      const stored = path.join(folder, 'confident.json');
      const args = ['--shapes', '100x80:confident', '--rounds', '1', '--only', 'plain'];
      expectSuccess(await bench([...args, '--json', stored], baseline));
      const [workload] = parseReport(readFileSync(stored, 'utf8')).workloads;
      expect(workload).toMatchObject({ name: '100 x 80, confident', gamma: 'long-tailed' });
      const plain = workload!.results.find(({ id }) => id === 'plain-javascript');
      expect(plain!.errors!.gradient).toBeLessThan(1e-6);
    },
    minute,
  );

  test(
    '--distributions prints what a logit takes with each, and the slowest over undecided ones',
    async () => {
      const ended = await bench(['--distributions', '--quick', '--rounds', '1'], baseline);
      expectSuccess(ended);
      expect(ended.stdout).toMatch(
        /undecided, N\(-2, 2\).*confident, N\(-12, 3\).*slowest : undecided/,
      );
      expect(ended.stdout).toMatch(/\| baseline +(\| +[\d.,]+ ){4}\| +[\d.]+ x \|/);
      expect(ended.stdout).toMatch(
        /slowest distribution of logits over undecided ones.*\| baseline \|.*at most 1\.10 x/,
      );
    },
    minute,
  );
});

describe('the command line', () => {
  test('runs from TypeScript and compiled alike', async () => {
    const tsNode = path.join(root, 'node_modules', 'ts-node', 'dist', 'bin.js');
    const project = ['--project', path.join('bench', 'tsconfig.json')];
    const source = await runNode([tsNode, ...project, path.join('bench', 'main.ts'), '--list']);
    const compiled = await bench(['--list']);
    expectSuccess(source);
    expectSuccess(compiled);
    expect(source.stdout).toMatch(/copy-1 .*\n.*ours-/s);
    expect(compiled.stdout).toBe(source.stdout);
  });

  test.each([
    [['--rounds', '0'], /--rounds/],
    [['--shapes', '10'], /'10' is not like 20000x1203/],
    [['--only', 'nobody'], /no contender's id starts with 'nobody'/],
    [['--compare', '/nowhere.json'], /nowhere\.json/],
    [['--compare', 'tsconfig.json'], /tsconfig\.json is not a report/],
    [['--compare', 'README.md'], /README\.md cannot be read: .*JSON/],
    [['--contender', '/nowhere.js'], /nowhere\.js/],
  ])('%j ends with 2 and says why', async (args, message) => {
    const { status, stderr } = await bench(args);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ +at /m);
  });
});

describe('a build whose times mean nothing', () => {
  const { tuple: platform } = currentPlatform();

  test('is refused where it is a debug build', async () => {
    const copy = path.join(folder, 'package');
    for (const part of ['dist', 'prebuilds', 'package.json']) {
      cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
    }
    symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'), 'junction');
    const manifest = path.join(copy, 'prebuilds', platform, 'manifest.json');
    const release = JSON.parse(readFileSync(manifest, 'utf8')) as object;
    writeFileSync(manifest, JSON.stringify({ ...release, configuration: 'debug' }));
    const ended = await runNode([path.join(copy, 'dist', 'bench', 'main.js'), ...small]);
    expect(ended.status).toBe(2);
    expect(ended.stderr).toMatch(/efl\.node is a debug build/);
  });

  test('is refused where nothing is known of it, unless that is allowed', async () => {
    const env = { EFL_BINARY: path.join(root, 'prebuilds', platform, 'efl.node') };
    const refused = await bench(small, env);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(/--allow-unknown-build/);
    expectSuccess(await bench([...small, '--allow-unknown-build'], env));
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test(
  'an interrupted run takes its processes along',
  async () => {
    const pidFile = path.join(folder, 'pid');
    const args = [...small.slice(0, 4), '--only', 'user-endless', '--contender', troublesome];
    const scratch = mkdtempSync(path.join(folder, 'scratch-'));
    const env = { ...process.env, PID_FILE: pidFile, EFL_BENCH_SCRATCH: scratch };
    const run = spawn(process.execPath, [program, ...args], { env, stdio: 'ignore' });
    while (!existsSync(pidFile) || readFileSync(pidFile, 'utf8') === '') await sleep(20);
    const contender = Number(readFileSync(pidFile, 'utf8'));
    // A terminal sends it to the run, and so does efl bench.
    for (let signals = 0; signals < 3; signals++) run.kill('SIGINT');
    expect(await once(run, 'close')).toEqual([130, null]);
    while (isAlive(contender)) await sleep(20); // or this test takes too long
    expect(readdirSync(scratch)).toEqual([]);
  },
  minute,
);
