import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Result } from '../../bench/user/result';
import { expectSuccess, root, runNode } from './child';

const minute = 60_000;
const efl = path.join(root, 'dist', 'cli', 'main.js');
/** Of a user, with a package that is compared with where it is there, and does not work. */
const folder = mkdtempSync(path.join(tmpdir(), 'efl-user-'));
const short = ['--shapes', '40x7,300x20', '--seconds', '5'];

beforeAll(() => {
  const broken = path.join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
  mkdirSync(broken, { recursive: true });
  writeFileSync(path.join(broken, 'index.js'), "throw new Error('no libtensorflow here');");
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const bench = (args: readonly string[], env: Record<string, string> = {}) =>
  runNode([efl, 'bench', ...args], { cwd: folder, env });

describe('efl bench', () => {
  let result: Result;
  let stderr: string;

  beforeAll(async () => {
    const ended = await bench([...short, '--json'], { EFL_NUM_THREADS: '1' });
    expectSuccess(ended);
    ({ stderr } = ended);
    result = JSON.parse(ended.stdout) as Result;
  }, minute);

  test('times this package and plain JavaScript, each checked against float64', () => {
    expect(result.shapes.map(({ rows, classes }) => [rows, classes])).toEqual([
      [40, 7],
      [300, 20],
    ]);
    for (const { results, rounds } of result.shapes) {
      const ids = results.map(({ id }) => id);
      expect(ids).toEqual(expect.arrayContaining([expect.stringMatching(/^ours-.*-1$/)]));
      expect(ids).toContain('plain-javascript');
      expect(rounds).toBeGreaterThanOrEqual(5);
      for (const { errors, nanosecondsPerLogit, timesOurs } of results) {
        expect(errors.loss).toBeLessThan(1e-3);
        expect(errors.gradient).toBeLessThan(1e-3);
        expect(errors.statistics).toBeLessThan(1e-3);
        for (const { lower, median, upper } of [nanosecondsPerLogit, timesOurs]) {
          expect(lower).toBeGreaterThan(0);
          expect(lower).toBeLessThanOrEqual(median);
          expect(median).toBeLessThanOrEqual(upper);
        }
      }
    }
  });

  test('leaves out what does not work, and says why', () => {
    const reason = expect.stringContaining('no libtensorflow here') as string;
    for (const { failures } of result.shapes) {
      expect(failures).toEqual(expect.arrayContaining([{ id: 'tfjs-node', reason }]));
    }
  });

  test('has nobody in it who cannot be there, and says how long it takes', () => {
    const { machine, notCompared } = result;
    expect(machine.node).toBe(process.versions.node);
    for (const reason of notCompared) expect(reason).toMatch(/ not installed \(npm install /);
    expect(JSON.stringify(result)).not.toMatch(/python/i);
    expect(stderr).toContain('This takes about 5 s.\n');
  });
});

test(
  'efl bench prints a table for each shape, without targets',
  async () => {
    const ended = await bench(short);
    expectSuccess(ended);
    expect(ended.stdout).toMatch(/^package +equalized-focal-loss \d/);
    expect(ended.stdout).toMatch(/processor +\S.*\n.*system.*Node\.js \d.*\ninstruction sets +\w/s);
    expect(ended.stdout).toMatch(/\n40 rows x 7 classes, \d+ rounds\n/);
    expect(ended.stdout).toMatch(/\n300 rows x 20 classes, \d+ rounds\n/);
    expect(ended.stdout).toMatch(/plain JavaScript, one fused loop +\| +1 \| +300 \| +[\d.,]+ \|/);
    expect(ended.stdout).toContain('tfjs-node was left out: ');
    expect(ended.stdout).not.toMatch(/MISSED|met|target|±/);
  },
  minute,
);

test('efl bench refuses what it does not know, and times nothing that does not load', async () => {
  expect((await bench(['--study'])).status).toBe(2);
  expect((await bench(['--seconds', '4'])).stderr).toMatch(/Less than 5/);
  expect((await bench(['--shapes', '10'])).stderr).toMatch(/'10' is not like 20000x1203/);
  const { status, stderr } = await bench(short, { EFL_BINARY: '/nowhere.node' });
  expect(status).toBe(2);
  expect(stderr).toMatch(/^efl bench: the package does not work here: /);
});
