/** A whole run of the GPU benchmark. */
import { backends, memoryInfo } from '../..';
import { instructionSets } from '../host/instruction-sets';
import { messageOf } from '../host/message';
import { withProgress, type ShowProgress } from '../host/progress';
import { describeMachine } from '../measure/machine';
import type { GpuSection, GpuWorkloadResult, Report } from '../report/report';
import { makeProblem, nameOf, type Workload } from '../workload/workload';
import { measureHostArrays } from './host-arrays';
import { measureOurs } from './measure';
import { measureCopy, measureLaunch } from './overhead';
import { measurePeers, reasonsWithout } from './peers';
import type { Plan } from './plan';
import { problemOf, type GpuProblem } from './problem';

/** The GPU of this machine, or the emulated one where that is asked for; throws for the other. */
function describeDevice(emulated: boolean): string {
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
  frame: Pick<Report, 'package' | 'command'>,
): Promise<Report> {
  const notMeasured: string[] = [];
  const gpu = await withProgress('bench:gpu', (show) => measureGpu(plan, notMeasured, show));
  return {
    ...{ schema: 1, ...frame, created: new Date().toISOString() },
    machine: describeMachine(instructionSets()),
    ...{ copyBandwidth: [], workloads: [], distributions: [], figures: [], studies: [] },
    ...{ notMeasured, gpu },
  };
}

/** What fails is added to `notMeasured`, and the rest is measured. */
async function measureGpu(
  plan: Plan,
  notMeasured: string[],
  show: ShowProgress,
): Promise<GpuSection> {
  const { pace, types } = plan;
  const { emulated } = pace;
  const device = describeDevice(emulated);
  const steps = plan.workloads.length * types.length + 1;
  const attempt = async (what: string, done: number, work: () => Promise<void>) => {
    show(done, steps, what);
    try {
      await work();
    } catch (error) {
      notMeasured.push(`${what}: ${messageOf(error)}`);
      console.error(`bench:gpu: ${what} failed: ${messageOf(error)}`);
    }
  };
  const copy = await measureCopy(plan.copyBytes, pace);
  const launch = await measureLaunch(pace);
  const reasons = reasonsWithout(emulated);
  const workloads: GpuWorkloadResult[] = [];
  for (const [i, workload] of plan.workloads.entries()) {
    const problem = makeProblem(workload);
    for (const [j, type] of types.entries()) {
      const name = `${nameOf(workload)}, ${type}`;
      await attempt(name, i * types.length + j, async () => {
        const found = problemOf(problem, type);
        workloads.push({ name, ...(await measured(found, workload, pace, copy, reasons)) });
      });
    }
  }
  const hostArrays: GpuSection['hostArrays'][number][] = [];
  await attempt('arrays of the host', steps - 1, async () => {
    hostArrays.push(...(await measureHostArrays(plan.hostRows, pace)));
  });
  const deviceMemoryBytes = memoryInfo().total;
  return { emulated, device, deviceMemoryBytes, copy, launch, workloads, hostArrays };
}

async function measured(
  problem: GpuProblem,
  workload: Workload,
  pace: Plan['pace'],
  { bytesPerSecond }: GpuSection['copy'],
  reasons: ReturnType<typeof reasonsWithout>,
): Promise<Omit<GpuWorkloadResult, 'name'>> {
  const ours = await measureOurs(problem, pace, bytesPerSecond?.median ?? null);
  const { microseconds } = ours.operations.find(
    ({ operation }) => operation === 'forwardBackward',
  )!;
  const { rounds } = pace;
  const peers = await measurePeers(problem, reasons, {
    ...{ rounds, buffers: ours.buffers, ours: microseconds?.median },
  });
  return { ...workload, type: problem.type, ...ours, ...peers };
}
