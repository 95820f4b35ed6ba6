import type { ShowProgress } from '../host/progress';
import { single } from '../measure/statistics';
import { Runner } from '../process/runner';
import { Stage } from '../process/stage';
import type { Series, Spread } from '../report/report';
import type { Curve } from './curves';
import { fits, problemOf } from './problems';
import type { Place } from './times';

/** A page: there is no less, and no zero on a logarithmic axis. */
const least = 4096;

/** Peak bytes beyond logits and labels; a process for each point, whose memory nothing has used. */
export async function memoryAt(
  places: readonly Place[],
  curves: readonly Curve[],
  show: ShowProgress,
): Promise<Series[]> {
  const series: Series[] = [];
  for (const [i, curve] of curves.entries()) {
    const points: { x: number; y: Spread }[] = [];
    for (const { x, shape } of places.filter((place) => fits(place.shape, 2))) {
      show(i, curves.length, `${curve.name}, ${x} logits`);
      const bytes = await memoryOf(curve, shape);
      if (bytes !== null) points.push({ x, y: single(Math.max(least, bytes)) });
    }
    series.push({ name: curve.name, points });
  }
  return series;
}

async function memoryOf({ contender }: Curve, shape: Place['shape']): Promise<number | null> {
  const stage = new Stage(problemOf(shape));
  const runner = new Runner(contender);
  try {
    await runner.prepare(stage.files());
    return await runner.memory(3);
  } finally {
    await runner.end();
    stage.close();
  }
}
