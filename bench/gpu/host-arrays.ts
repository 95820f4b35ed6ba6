/** From which size on the GPU computes arrays of the host faster than the CPU does. */
import type { EqualizedFocalLoss } from '../..';
import { bounds, worst } from '../measure/accuracy';
import { microsecondsOf, race } from '../measure/race';
import { ratioOf } from '../measure/statistics';
import type { HostArraysResult } from '../report/report';
import { newCriterion } from '../workload/criterion';
import { makeProblem, mixed, type Problem } from '../workload/workload';
import type { Pace } from './plan';
import { measurement } from './stopwatch';

const classes = 80;

export async function measureHostArrays(
  rowCounts: readonly number[],
  pace: Pace,
): Promise<HostArraysResult[]> {
  const results: HostArraysResult[] = [];
  for (const rows of rowCounts) results.push(await measureRows(rows, pace));
  return results;
}

async function measureRows(rows: number, { rounds, emulated }: Pace): Promise<HostArraysResult> {
  const problem = makeProblem(mixed(rows, classes));
  using onCuda = newCriterion(classes, 'cuda');
  using onCpu = newCriterion(classes, 'cpu');
  const [cuda, cpu] = [contestant(onCuda, problem), contestant(onCpu, problem)];
  for (const { solve } of [cuda, cpu]) solve();
  const error = worst(cuda.grad, cpu.grad);
  if (!(error <= bounds.float32.tolerance)) {
    throw new Error(`arrays of the host, ${rows} x ${classes}: gradients differ by ${error}`);
  }
  const times = await race([cuda, cpu], rounds, ({ solve }) => microsecondsOf(solve));
  const [ofCuda, ofCpu] = [times.get(cuda)!, times.get(cpu)!];
  return {
    ...{ rows, classes },
    cudaMicroseconds: measurement(emulated, ofCuda),
    cpuMicroseconds: measurement(emulated, ofCpu),
    ratio: emulated ? null : ratioOf(ofCpu, ofCuda),
  };
}

function contestant(criterion: EqualizedFocalLoss, { logits, labels }: Problem) {
  const grad = new Float32Array(logits.length);
  const solve = (): void => {
    criterion.forwardBackward(logits, labels, { grad, collect: false });
  };
  return { grad, solve };
}
