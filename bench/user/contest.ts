/** One shape: contenders are checked, then timed in turn until the time is used up. */
import { messageOf } from '../host/message';
import type { ShowProgress } from '../host/progress';
import { shuffled } from '../measure/statistics';
import type { Listed } from '../contenders';
import type { Runner } from '../process/runner';
import { Stage } from '../process/stage';
import type { Errors } from '../report/report';
import { makeProblem, type Workload } from '../workload/workload';
import type { Pace } from './pace';

export interface Player {
  readonly contender: Listed;
  readonly runner: Runner;
}

export interface Timed {
  readonly contender: Listed;
  readonly version: string | null;
  /** The first rows of the problem; all, unless a call would take too long. */
  readonly rows: number;
  readonly errors: Errors;
  /** Nanoseconds a logit, one for each round. */
  readonly times: number[];
}

export interface Failure {
  readonly contender: Listed;
  readonly reason: string;
}

export interface Outcome {
  readonly workload: Workload;
  readonly timed: readonly Timed[];
  readonly failures: readonly Failure[];
}

/** Quartiles of fewer say nothing. More take time, and change little. */
const fewestRounds = 5;
const mostRounds = 200;

/** `until`: when the last round may begin, in the milliseconds of `performance.now`. */
export async function compare(
  workload: Workload,
  players: readonly Player[],
  { pace, until }: { readonly pace: Pace; readonly until: number },
  show: ShowProgress,
): Promise<Outcome> {
  const stage = new Stage(makeProblem(workload));
  const timed = new Map<Player, Timed>();
  const failures: Failure[] = [];
  const showTime = (what: string): void => {
    show(Math.min(performance.now(), until), 1000 * pace.seconds, what);
  };
  /** One that fails is out, and the others go on. */
  const attempt = async (player: Player, step: () => Promise<void>): Promise<void> => {
    try {
      await step();
    } catch (error) {
      timed.delete(player);
      failures.push({ contender: player.contender, reason: messageOf(error) });
    }
  };
  try {
    for (const player of players) {
      showTime(`checking ${player.contender.id}`);
      await attempt(player, async () => {
        timed.set(player, await enter(player, stage, pace));
      });
    }
    for (let round = 0; round < mostRounds; round++) {
      if (round >= fewestRounds && performance.now() > until) break;
      showTime('timing');
      for (const player of shuffled([...timed.keys()], round)) {
        await attempt(player, async () => {
          const { rows, times } = timed.get(player)!;
          times.push(((await player.runner.sample()) * 1e6) / (rows * workload.classes));
        });
      }
    }
    return { workload, timed: [...timed.values()], failures };
  } finally {
    stage.close();
  }
}

/** Rejects with the reason where the contender cannot run or computes something else. */
async function enter(player: Player, stage: Stage, pace: Pace): Promise<Timed> {
  const { contender, runner } = player;
  const errors = await runner.check(stage);
  if (errors === null) throw new Error('there is no solution to check');
  const rows = contender.family === 'ours' ? stage.rows : await rowsFor(player, stage, pace);
  const { version } = await runner.prepare(stage.files(rows));
  await runner.calibrate(pace.sampleMilliseconds);
  return { contender, version, rows, errors, times: [] };
}

/** As many rows as a call can take in its time, going by the rows that were checked. */
async function rowsFor({ contender, runner }: Player, stage: Stage, pace: Pace): Promise<number> {
  const ofRow = (await runner.sample(1)) / stage.checkedRows;
  const affordable = Math.max(stage.checkedRows, Math.floor(pace.callMilliseconds / ofRow));
  const memory = (contender.mostLogits ?? Infinity) / stage.classes;
  return Math.max(1, Math.min(stage.rows, affordable, Math.floor(memory)));
}
