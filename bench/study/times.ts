import type { ProgressBar } from '../progress';
import type { Series, Spread } from '../report/report';
import { spreadOf } from '../statistics';
import type { Curve } from './entrants';
import type { Shape } from './problems';
import { Actor, fits, stageProblem, type Pace } from './stage';

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
  progress: ProgressBar,
): Promise<Series[]> {
  const actors = curves.map((curve) => new Actor(curve));
  const points = curves.map(() => [] as { x: number; y: Spread }[]);
  try {
    for (const [done, { x, shape }] of places.entries()) {
      progress.update(done, places.length, `${shape.rows} x ${shape.classes}`);
      if (!fits(shape, curves.length)) continue;
      const spreads = await spreadsFor(shape, actors, pace);
      spreads.forEach((y, i) => points[i]!.push({ x, y }));
    }
  } finally {
    await Promise.all(actors.map((actor) => actor.leave()));
  }
  return curves.map(({ name }, i) => ({ name, points: points[i]! }));
}

/** In turn, as in the comparison: what disturbs the machine disturbs all. */
async function spreadsFor(shape: Shape, actors: readonly Actor[], pace: Pace): Promise<Spread[]> {
  const files = stageProblem(shape);
  for (const actor of actors) await actor.take(files, pace);
  return (await timesInTurn(actors, shape, pace)).map(spreadOf);
}

/** Nanoseconds a logit of each actor on the problem that it has taken, one for each round. */
export async function timesInTurn(
  actors: readonly Actor[],
  { rows, classes }: Shape,
  { rounds }: Pace,
): Promise<number[][]> {
  const times = actors.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    for (const [i, actor] of actors.entries()) {
      times[i]!.push(((await actor.sample()) * 1e6) / (rows * classes));
    }
  }
  return times;
}
