import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { contenders } from '../../bench/contenders/python';
import { contenderOf, peers as listedOnGpu } from '../../bench/gpu/peers';
import { problemOf } from '../../bench/gpu/problem';
import { readSolution, writeProblem } from '../../bench/process/arrays';
import type { Request } from '../../bench/process/protocol';
import { Runner } from '../../bench/process/runner';
import { Stage } from '../../bench/process/stage';
import { makeProblem, type Problem } from '../../bench/workload/workload';
import { root } from './child';

const python = process.env['EFL_BENCH_PYTHON'] ?? 'python3';
const hasPython = spawnSync(python, ['-c', '']).status === 0;
if (!hasPython) console.warn(`Tests of the Python peers are skipped: ${python} does not run.`);
const testWithPython = hasPython || process.env['EFL_REQUIRE_TOOLS'] === '1' ? test : test.skip;

const peers = path.join(root, 'bench', 'peers');
const folder = mkdtempSync(path.join(tmpdir(), 'efl-peers-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const problem: Problem = {
  rows: 3,
  classes: 2,
  logits: Float32Array.of(1, -2, 0.5, -1, 0, 3),
  labels: Int32Array.of(2, 0, -1),
  gamma: Float64Array.of(2, 7.5),
};
const files = { folder, rows: 3, classes: 2, baseGamma: 2, alpha: 0.25, scaleFactor: 8 };

/** Starts a peer on a module, asks it for one thing after the other, and ends it. */
async function ask(module: string, requests: readonly Request[]): Promise<unknown[]> {
  const PYTHONPATH = path.join(__dirname, 'fixtures');
  const child = spawn(python, ['-B', path.join(peers, 'peer.py'), module], {
    env: { ...process.env, PYTHONPATH },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.end(requests.map((request) => `${JSON.stringify(request)}\n`).join(''));
  const answers: unknown[] = [];
  for await (const line of createInterface({ input: child.stdout })) answers.push(JSON.parse(line));
  return answers;
}

testWithPython('a peer reads the problem, and answers with what its module computes', async () => {
  writeProblem(folder, problem);
  const answers = await ask('constant_peer', [
    { request: 'prepare', ...files },
    { request: 'check', folder },
    { request: 'memory', calls: 2 },
    { request: 'sample', calls: 3 },
  ]);
  expect(answers).toHaveLength(4);
  const [prepared, checked, memory, sampled] = answers;
  expect(prepared).toEqual({ version: '1.0', solves: true });
  expect(checked).toEqual({});
  if (process.platform === 'linux') expect(memory).toEqual({ bytes: expect.any(Number) as number });
  expect(sampled).toEqual({ milliseconds: expect.any(Number) as number });
  const { gamma, logits } = problem;
  const solution = { loss: 1, gradient: logits, positive: gamma, negative: gamma };
  expect(readSolution(folder, 3, 2)).toEqual(solution);
});

testWithPython('what a peer cannot do, and what is not installed, becomes its answer', async () => {
  writeProblem(folder, problem);
  const prepare = { request: 'prepare', ...files } as const;
  expect(
    await ask('constant_peer', [
      { ...prepare, classes: 1 },
      { ...prepare, rows: 100 },
    ]),
  ).toEqual([{ error: 'cannot do a single class' }, { error: 'logits.f32 is too short' }]);
  expect(await ask('nowhere', [prepare])).toEqual([
    { error: "ModuleNotFoundError: No module named 'nowhere'" },
  ]);
});

testWithPython('every peer compiles, and every peer that is listed has its file', () => {
  const names = readdirSync(peers).filter((name) => name.endsWith('.py'));
  const compile = 'import sys; [compile(open(name).read(), name, "exec") for name in sys.argv[1:]]';
  const { status } = spawnSync(python, ['-c', compile, ...names], { cwd: peers });
  expect(status).toBe(0);
  const modules = contenders.map(({ program }) => program!.at(-1)!);
  expect(modules.length).toBeGreaterThan(4);
  expect(listedOnGpu.length).toBeGreaterThan(3);
  for (const name of [...modules, ...listedOnGpu.map(({ module }) => module)]) {
    expect(existsSync(path.join(peers, `${name}.py`))).toBe(true);
  }
});

const hasTorch = spawnSync(python, ['-c', 'import torch, torchvision']).status === 0;
if (!hasTorch) console.warn(`Values of the PyTorch peers: skipped, ${python} has no torchvision.`);
const testWithTorch = hasTorch || process.env['EFL_REQUIRE_TORCH'] === '1' ? test : test.skip;

testWithTorch.each([
  ['torch_eager', 'mixed', 'float32'],
  ['torch_eager', 'mixed', 'float16'],
  ['torch_eager', 'two', 'bfloat16'],
  ['torchvision_focal', 'two', 'float32'],
] as const)(
  'the GPU peer %s computes what it should, gamma %s, in %s',
  async (module, gamma, type) => {
    const given = problemOf(makeProblem({ rows: 400, classes: 7, gamma }), type);
    const stage = new Stage(given, type);
    const runner = new Runner(contenderOf({ id: module, name: module, module }, given, 2, 'cpu'));
    try {
      expect((await runner.check(stage))!.loss).toBeLessThan(1e-4);
      expect(await runner.sample(2)).toBeGreaterThan(0);
      await expect(runner.sample(3)).rejects.toThrow(/2 calls/);
    } finally {
      await runner.end();
      stage.close();
    }
  },
);
