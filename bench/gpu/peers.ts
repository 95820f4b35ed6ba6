/** Other software that computes loss, gradient and statistics on the GPU, in Python. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readSolution, writeProblem } from '../arrays';
import { ContenderProcess } from '../contender-process';
import { packageRoot } from '../optional';
import type { Prepared, ProblemFiles, Sampled } from '../protocol';
import type { Skipped } from '../report/report';
import { removeFolder, scratchFolder } from '../scratch';
import { messageOf } from '../script';
import { alpha, baseGamma, scaleFactor } from '../workload';
import { errorsOf, requireEqual } from './accuracy';
import { expectedOf, rowsOf, type GpuProblem } from './problem';
import type { GpuErrors, PeerResult } from './report';
import { measurement } from './stopwatch';
import { checkedRows } from './verify';

interface Peer {
  readonly id: string;
  readonly name: string;
  readonly module: string;
  readonly needs: readonly string[];
}

/** Their modules are in ./peers and in ../peers. */
export const peers: readonly Peer[] = [
  {
    id: 'torch-eager',
    name: 'PyTorch eager, as in the paper',
    module: 'torch_eager',
    needs: ['torch'],
  },
  {
    id: 'torch-compile',
    name: 'PyTorch, torch.compile, captured',
    module: 'compiled',
    needs: ['torch', 'triton'],
  },
  {
    id: 'triton',
    name: 'Triton, fused kernel, captured',
    module: 'triton_fused',
    needs: ['torch', 'triton'],
  },
  {
    id: 'torchvision',
    name: 'torchvision sigmoid_focal_loss',
    module: 'torchvision_focal',
    needs: ['torch', 'torchvision'],
  },
];

const python = process.env['EFL_BENCH_PYTHON'] || 'python3';
/** Not compiled, hence beside the sources; the published package has none of it. */
const program = path.join(packageRoot, 'bench', 'gpu', 'peers', 'gpu_peer.py');

/** Why a peer cannot run here, by its id; asks Python once. */
export function missingPeers(emulated: boolean): ReadonlyMap<string, string> {
  const all = (reason: string) => new Map(peers.map(({ id }) => [id, reason]));
  if (emulated) return all('EMULATED: peers need a GPU');
  if (!existsSync(program)) return all('the Python peers are not in the published package');
  const names = [...new Set(peers.flatMap(({ needs }) => needs))];
  const code = [
    'import json, sys',
    'from importlib.util import find_spec',
    'found = {name: find_spec(name) is not None for name in sys.argv[1:]}',
    'if found["torch"]: import torch',
    'print(json.dumps({**found, "cuda": found["torch"] and torch.cuda.is_available()}))',
  ].join('\n');
  const { status, stdout } = spawnSync(python, ['-c', code, ...names], { encoding: 'utf8' });
  if (status !== 0) return all(`${python} does not run; EFL_BENCH_PYTHON may name another`);
  const found = JSON.parse(stdout) as Readonly<Record<string, boolean>>;
  const lacking = peers.flatMap(({ id, needs }): [string, string][] => {
    const absent = needs.filter((name) => !found[name]);
    if (absent.length > 0) return [[id, `${python} has no ${absent.join(' and no ')}`]];
    return found['cuda'] ? [] : [[id, `the PyTorch of ${python} finds no GPU`]];
  });
  return new Map(lacking);
}

export interface PeerOutcome {
  readonly peers: readonly PeerResult[];
  readonly skipped: readonly Skipped[];
}

export interface PeerPace {
  readonly rounds: number;
  readonly buffers: number;
  /** Of `forwardBackward`, in microseconds. */
  readonly ours: number;
}

/** All peers on one problem, one after the other: each has the GPU's memory for itself. */
export async function measurePeers(
  problem: GpuProblem,
  missing: ReadonlyMap<string, string>,
  pace: PeerPace | undefined,
): Promise<PeerOutcome> {
  const results: PeerResult[] = [];
  const skipped: Skipped[] = [];
  const present = peers.filter(({ id }) => !missing.has(id));
  const folder = present.length > 0 && pace ? stored(problem) : undefined;
  for (const peer of peers) {
    const { id, name } = peer;
    try {
      const reason = missing.get(id);
      if (reason !== undefined) throw new Error(reason);
      if (!folder || !pace) throw new Error('there is no time of this package to compare with');
      results.push(await measurePeer(peer, problem, folder, pace));
    } catch (error) {
      skipped.push({ id, name, reason: messageOf(error) });
    }
  }
  if (folder) removeFolder(folder);
  return { peers: results, skipped };
}

function stored(problem: GpuProblem): string {
  const folder = scratchFolder(problem.logits.byteLength);
  writeProblem(folder, problem);
  return folder;
}

async function measurePeer(
  peer: Peer,
  problem: GpuProblem,
  folder: string,
  { rounds, buffers, ours }: PeerPace,
): Promise<PeerResult> {
  const { id, name } = peer;
  const child = peerProcess(peer, problem, buffers);
  try {
    const { version, errors } = await checkPeer(peer, child, problem, folder);
    await child.request<Prepared>({ request: 'prepare', ...filesOf(problem, folder) });
    const times: number[] = [];
    for (let round = -2; round < rounds; round++) {
      const calls = buffers;
      const { milliseconds } = await child.request<Sampled>({ request: 'sample', calls });
      if (round >= 0) times.push((milliseconds * 1000) / calls);
    }
    const ratios = times.map((time) => time / ours);
    return {
      ...{ id, name, version, errors },
      microseconds: measurement(false, times),
      timesOurs: measurement(false, ratios),
    };
  } finally {
    await child.end();
  }
}

function filesOf({ rows, classes }: GpuProblem, folder: string): ProblemFiles {
  return { folder, rows, classes, baseGamma, alpha, scaleFactor };
}

/** `device`: where PyTorch computes; the CPU only for tests. */
export function peerProcess(
  { id, name, module }: Pick<Peer, 'id' | 'name' | 'module'>,
  { type }: GpuProblem,
  buffers: number,
  device = 'cuda',
): ContenderProcess {
  const args = [module, '--dtype', type, '--buffers', String(buffers), '--device', device];
  return new ContenderProcess({
    ...{ id, name, family: 'python', threads: 1, file: program },
    program: [python, '-B', program, ...args],
  });
}

/** On the first rows of the problem. Throws where the results are not equal. */
export async function checkPeer(
  { name }: Pick<Peer, 'name'>,
  child: ContenderProcess,
  problem: GpuProblem,
  folder: string,
): Promise<{ version: string | null; errors: GpuErrors }> {
  const { type, classes } = problem;
  const sample = rowsOf(problem, 0, checkedRows(problem));
  const files = filesOf(sample, folder);
  const { version } = await child.request<Prepared>({ request: 'prepare', ...files });
  await child.request({ request: 'check', folder });
  const solution = readSolution(folder, sample.rows, classes);
  const errors = errorsOf(solution, expectedOf(sample), type, sample.rows);
  return { version, errors: requireEqual(name, errors, type) };
}
