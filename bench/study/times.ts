import type { ShowProgress } from '../host/progress';
import { race } from '../measure/race';
import { spreadOf } from '../measure/statistics';
import { Runner, type Pace } from '../process/runner';
import { Stage } from '../process/stage';
import type { Series, Spread } from '../report/report';
import type { Curve } from './curves';
import { fits, problemOf, type Shape } from './problems';

/** One place on the axis. */
export interface Place {
  readonly x: number;
  readonly shape: Shape;
}

/** Nanoseconds a logit of every curve at every place; places without enough memory are left out. */
export async function timesAt(
  places: readonly Place[],
  curves: readonly Curve[],
  pace: Pace,
  show: ShowProgress,
): Promise<Series[]> {
  const runners = curves.map(({ contender }) => new Runner(contender));
  const points = curves.map(() => [] as { x: number; y: Spread }[]);
  try {
    for (const [done, { x, shape }] of places.entries()) {
      show(done, places.length, `${shape.rows} x ${shape.classes}`);
      if (!fits(shape, curves.length)) continue;
      await handOver(shape, runners, pace);
      const times = await timesInTurn(runners, shape, pace);
      times.forEach((values, i) => points[i]!.push({ x, y: spreadOf(values) }));
    }
  } finally {
    await Promise.all(runners.map((runner) => runner.end()));
  }
  return curves.map(({ name }, i) => ({ name, points: points[i]! }));
}

/** Runners read the problem, and find how many calls a sample takes. */
export async function handOver(
  shape: Shape,
  runners: readonly Runner[],
  { sampleMilliseconds }: Pace,
): Promise<void> {
  const stage = new Stage(problemOf(shape));
  try {
    for (const runner of runners) {
      await runner.prepare(stage.files());
      await runner.calibrate(sampleMilliseconds);
    }
  } finally {
    stage.close();
  }
}

/** Nanoseconds a logit of each runner on the problem that it has read, one for each round. */
export async function timesInTurn(
  runners: readonly Runner[],
  { rows, classes }: Shape,
  { rounds }: Pace,
): Promise<(readonly number[])[]> {
  const nanoseconds = async (runner: Runner): Promise<number> =>
    ((await runner.sample()) * 1e6) / (rows * classes);
  return [...(await race(runners, rounds, nanoseconds)).values()];
}
