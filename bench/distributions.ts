/** How the time of a logit depends on where the logits lie: of this package, one thread. */
import { instructionSets } from './host/instruction-sets';
import { withProgress } from './host/progress';
import { Runner, type Pace } from './process/runner';
import type { DistributionTimes } from './report/report';
import { distributionTimes } from './results';
import { ours } from './study/curves';
import type { Shape } from './study/problems';
import { handOver, timesInTurn } from './study/times';
import { distributionNames } from './workload/workload';

const fullPace: Pace = { rounds: 15, sampleMilliseconds: 20 };
const quickPace: Pace = { rounds: 5, sampleMilliseconds: 5 };
const fullShape: Shape = { rows: 5000, classes: 1203 };
const quickShape: Shape = { rows: 500, classes: 1203 };

/** The same kernels on every distribution in turn, round by round. */
export async function timesByDistribution(
  quick: boolean,
  rounds?: number,
): Promise<DistributionTimes[]> {
  const standard = quick ? quickPace : fullPace;
  const pace = { ...standard, rounds: rounds ?? standard.rounds };
  const shape = quick ? quickShape : fullShape;
  const sets = instructionSets();
  return withProgress('distributions of logits', async (show) => {
    const measured: DistributionTimes[] = [];
    for (const [done, instructionSet] of sets.entries()) {
      show(done, sets.length, instructionSet);
      measured.push(distributionTimes(instructionSet, await timesOf(instructionSet, shape, pace)));
    }
    return measured;
  });
}

/** For each distribution, nanoseconds a logit in every round. */
async function timesOf(
  instructionSet: string,
  shape: Shape,
  pace: Pace,
): Promise<(readonly number[])[]> {
  const runners = distributionNames.map(() => new Runner(ours(1, instructionSet).contender));
  try {
    for (const [i, distribution] of distributionNames.entries()) {
      await handOver({ ...shape, distribution }, [runners[i]!], pace);
    }
    return await timesInTurn(runners, shape, pace);
  } finally {
    await Promise.all(runners.map((runner) => runner.end()));
  }
}
