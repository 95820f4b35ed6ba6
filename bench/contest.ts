import { setTimeout as sleep } from 'node:timers/promises';
import type { Listed } from './contenders';
import { enter, type ContestPace, type Entrant } from './entrant';
import { messageOf } from './host/message';
import type { ShowProgress } from './host/progress';
import { race, sampleCount } from './measure/race';
import { Stage } from './process/stage';
import type { Skipped } from './report/report';
import { makeProblem, type Workload } from './workload/workload';

/** A contender's share of the results. */
export interface Measured extends Omit<Entrant, 'runner'> {
  /** Nanoseconds per logit, one for each round. */
  readonly times: readonly number[];
}

export interface Outcome {
  readonly workload: Workload;
  readonly measured: readonly Measured[];
  readonly skipped: readonly Skipped[];
}

/** Threads of the one before may look for more work for a while. */
const settlingMilliseconds = 5;

/** Checks all contenders on one workload, then times them in turn, round by round. */
export async function measure(
  workload: Workload,
  contenders: readonly Listed[],
  pace: ContestPace,
  showProgress: ShowProgress,
): Promise<Outcome> {
  const stage = new Stage(makeProblem(workload));
  const entrants: Entrant[] = [];
  const skipped: Skipped[] = [];
  const steps = contenders.length + sampleCount(contenders.length, pace.rounds);
  let done = 0;
  const show = (what: string): void => {
    showProgress(done++, steps, what);
  };
  const skip = ({ id, name }: Listed, error: unknown): void => {
    skipped.push({ id, name, reason: messageOf(error) });
  };
  try {
    for (const contender of contenders) {
      show(`checking ${contender.id}`);
      try {
        entrants.push(await enter(contender, stage, pace));
      } catch (error) {
        skip(contender, error);
      }
    }
    const times = await race(
      entrants,
      pace.rounds,
      async ({ contender, rows, runner }) => {
        show(contender.id);
        await sleep(settlingMilliseconds);
        return ((await runner.sample()) * 1e6) / (rows * workload.classes);
      },
      async ({ contender, runner }, error) => {
        skip(contender, error);
        await runner.end();
      },
    );
    const measured = [...times].map(([entrant, ofRounds]) => ({ ...entrant, times: ofRounds }));
    return { workload, measured, skipped };
  } finally {
    await Promise.all(entrants.map(({ runner }) => runner.end()));
    stage.close();
  }
}
