/** Other software that computes loss, gradient and statistics on the GPU, in Python. */
import { spawnSync } from 'node:child_process';
import type { Listed } from '../contenders';
import { peer, peerCommand, python, reasonsAgainst, type Peer } from '../contenders/python-peers';
import { messageOf } from '../host/message';
import { race } from '../measure/race';
import { spreadOf } from '../measure/statistics';
import { Runner } from '../process/runner';
import { Stage } from '../process/stage';
import type { PeerResult, Skipped } from '../report/report';
import type { GpuProblem } from './problem';

const torchvision = ['torch', 'torchvision'];

export const peers: readonly Peer[] = [
  peer('torch-eager', 'PyTorch eager, as in the paper', 'torch_eager', ['torch']),
  peer('torch-compile', 'PyTorch, torch.compile, captured', 'torch_compile', ['torch', 'triton']),
  peer('triton', 'Triton, fused kernel, captured', 'triton_fused', ['torch', 'triton']),
  peer('torchvision', 'torchvision sigmoid_focal_loss', 'torchvision_focal', torchvision),
];

/** Why a peer cannot run here; undefined where it can. */
export function reasonsWithout(emulated: boolean): ReadonlyMap<Peer, string | undefined> {
  if (emulated) return new Map(peers.map((one) => [one, 'EMULATED: peers need a GPU']));
  const reasons = peers.map(reasonsAgainst(peers));
  const withoutGpu = reasons.includes(undefined) && !findsGpu();
  const noGpu = withoutGpu ? `the PyTorch of ${python} finds no GPU` : undefined;
  return new Map(peers.map((one, i) => [one, reasons[i] ?? noGpu]));
}

function findsGpu(): boolean {
  const code = 'import sys, torch; sys.exit(not torch.cuda.is_available())';
  return spawnSync(python, ['-c', code]).status === 0;
}

export interface PeerOutcome {
  readonly peers: readonly PeerResult[];
  readonly skipped: readonly Skipped[];
}

export interface PeerPace {
  readonly rounds: number;
  readonly buffers: number;
  /** Of `forwardBackward`, in microseconds; undefined where it was not timed. */
  readonly ours: number | undefined;
}

/** All peers on one problem, one after the other: each has the GPU's memory for itself. */
export async function measurePeers(
  problem: GpuProblem,
  reasons: ReadonlyMap<Peer, string | undefined>,
  pace: PeerPace,
): Promise<PeerOutcome> {
  const results: PeerResult[] = [];
  const skipped: Skipped[] = [];
  const present = peers.filter((one) => reasons.get(one) === undefined);
  const stage = present.length > 0 ? new Stage(problem, problem.type) : undefined;
  for (const one of peers) {
    const { id, name } = one;
    try {
      if (stage === undefined || !present.includes(one)) throw new Error(reasons.get(one));
      results.push(await measurePeer(one, problem, stage, pace));
    } catch (error) {
      skipped.push({ id, name, reason: messageOf(error) });
    }
  }
  stage?.close();
  return { peers: results, skipped };
}

async function measurePeer(
  one: Peer,
  problem: GpuProblem,
  stage: Stage,
  { rounds, buffers, ours }: PeerPace,
): Promise<PeerResult> {
  if (ours === undefined) throw new Error('there is no time of this package to compare with');
  const { id, name } = one;
  const runner = new Runner(contenderOf(one, problem, buffers));
  try {
    const errors = (await runner.check(stage))!;
    const { version } = await runner.prepare(stage.files());
    const lanes = await race([runner], rounds, async () => (await runner.sample(buffers)) * 1000);
    const times = lanes.get(runner)!;
    const timesOurs = spreadOf(times.map((time) => time / ours));
    return { id, name, version, errors, microseconds: spreadOf(times), timesOurs };
  } finally {
    await runner.end();
  }
}

/** `device`: where PyTorch computes; the CPU only for tests. */
export function contenderOf(
  { id, name, module }: Omit<Peer, 'needs'>,
  { type }: GpuProblem,
  buffers: number,
  device = 'cuda',
): Listed {
  const program = peerCommand('gpu_peer.py', [module, type, String(buffers), device]);
  return { id, name, family: 'python', threads: 1, file: '', program };
}
