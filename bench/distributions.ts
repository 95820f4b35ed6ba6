/** How the time of a logit depends on where the logits lie: of this package, one thread. */
import { instructionSets } from './instruction-sets';
import { startProgress } from './progress';
import type { DistributionTimes } from './report/report';
import { distributionTimes } from './results';
import { ours } from './study/entrants';
import type { Shape } from './study/problems';
import { Actor, stageProblem, type Pace } from './study/stage';
import { timesInTurn } from './study/times';
import { distributionNames } from './workload';

const fullPace: Pace = { rounds: 15, sampleMilliseconds: 20 };
const quickPace: Pace = { rounds: 5, sampleMilliseconds: 5 };
const fullShape: Shape = { rows: 5000, classes: 1203 };
const quickShape: Shape = { rows: 500, classes: 1203 };

/** The same kernels on every distribution in turn, round by round. */
export async function timesByDistribution(
  quick: boolean,
  rounds?: number,
): Promise<DistributionTimes[]> {
  const pace = quick ? quickPace : fullPace;
  const sets = instructionSets();
  const measured: DistributionTimes[] = [];
  const progress = startProgress('distributions of logits');
  try {
    for (const [done, instructionSet] of sets.entries()) {
      progress.update(done, sets.length, instructionSet);
      const shape = quick ? quickShape : fullShape;
      const times = await timesOf(instructionSet, shape, {
        ...pace,
        rounds: rounds ?? pace.rounds,
      });
      measured.push(distributionTimes(instructionSet, times));
    }
  } finally {
    progress.finish();
  }
  return measured;
}

/** For each distribution, nanoseconds a logit in every round. */
async function timesOf(instructionSet: string, shape: Shape, pace: Pace): Promise<number[][]> {
  const actors = distributionNames.map(() => new Actor(ours(1, instructionSet)));
  try {
    for (const [i, distribution] of distributionNames.entries()) {
      await actors[i]!.take(stageProblem({ ...shape, distribution }), pace);
    }
    return await timesInTurn(actors, shape, pace);
  } finally {
    await Promise.all(actors.map((actor) => actor.leave()));
  }
}
