/** A whole run of the GPU benchmark. */
import { backends, memoryInfo } from '../..';
import { instructionSets } from '../instruction-sets';
import { describeMachine } from '../machine';
import { messageOf } from '../script';
import { makeProblem, nameOf, type Workload } from '../workload';
import { measureHostArrays } from './host-arrays';
import { measureOurs } from './measure';
import { measureCopy, measureLaunch } from './overhead';
import { measurePeers, missingPeers } from './peers';
import type { Plan } from './plan';
import { problemOf, type GpuProblem } from './problem';
import type { GpuReport, GpuWorkloadResult } from './report';

/** The GPU of this machine, or the emulated one where that is asked for; throws for the other. */
export function describeDevice(emulated: boolean): string {
  const { available, detail } = backends().find(({ name }) => name === 'cuda')!;
  if (!available) throw new Error(`there is no GPU: ${detail}`);
  if (/emulated/i.test(detail) !== emulated) {
    throw new Error(
      emulated
        ? `--emulated, but EFL_CUDA_LIBRARY names no emulated library: ${detail}`
        : 'the device is EMULATED, and its times mean nothing; --emulated runs without times',
    );
  }
  return detail;
}

export async function runGpuBenchmark(
  plan: Plan,
  frame: Pick<GpuReport, 'package' | 'command'>,
): Promise<GpuReport> {
  const { pace } = plan;
  const device = describeDevice(pace.emulated);
  progress('copy bandwidth and launches');
  const copy = measureCopy(plan.copyBytes, pace);
  const launch = measureLaunch(pace);
  const missing = missingPeers(pace.emulated);
  const workloads: GpuWorkloadResult[] = [];
  const failures: GpuReport['failures'][number][] = [];
  for (const workload of plan.workloads) {
    const problem = makeProblem(workload);
    for (const type of plan.types) {
      const name = `${nameOf(workload)}, ${type}`;
      progress(name);
      try {
        const found = problemOf(problem, type);
        workloads.push(await measured(found, workload, plan, copy, missing));
      } catch (error) {
        failures.push({ workload: name, reason: messageOf(error) });
        console.error(`bench:gpu: ${name} failed: ${messageOf(error)}`);
      }
    }
  }
  return {
    ...{ schema: 1, ...frame, created: new Date().toISOString(), emulated: pace.emulated },
    machine: describeMachine(instructionSets()),
    device,
    deviceMemoryBytes: memoryInfo().total,
    ...{ copy, launch, workloads, failures },
    hostArrays: hostArrays(plan, failures),
  };
}

async function measured(
  problem: GpuProblem,
  workload: Workload,
  { pace }: Plan,
  { bytesPerSecond }: GpuReport['copy'],
  missing: ReadonlyMap<string, string>,
): Promise<GpuWorkloadResult> {
  const ours = measureOurs(problem, pace, bytesPerSecond?.median ?? null);
  const time = ours.operations.find(({ operation }) => operation === 'forwardBackward')!;
  const peerPace = time.microseconds && {
    ...{ rounds: pace.rounds, buffers: ours.buffers, ours: time.microseconds.median },
  };
  const peers = await measurePeers(problem, missing, peerPace ?? undefined);
  return { ...workload, type: problem.type, ...ours, ...peers };
}

function hostArrays(
  { hostRows, pace }: Plan,
  failures: GpuReport['failures'][number][],
): GpuReport['hostArrays'] {
  progress('arrays of the host');
  try {
    return measureHostArrays(hostRows, pace);
  } catch (error) {
    failures.push({ workload: 'arrays of the host', reason: messageOf(error) });
    return [];
  }
}

function progress(what: string): void {
  console.error(`bench:gpu: ${what} ...`);
}
