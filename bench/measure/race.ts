/** How times are taken: in turn, so that what disturbs the machine disturbs all. */
import { shuffled } from './statistics';

const warmUpRounds = 2;

/** Samples of a whole race, warm-up included. */
export function sampleCount(lanes: number, rounds: number): number {
  return lanes * (warmUpRounds + rounds);
}

/**
 * One sample of each lane in every round, in another order each time: nobody always comes after the
 * same other. `drop` is told of a lane that fails, which is out of the race; without it the race ends.
 */
export async function race<Lane>(
  lanes: readonly Lane[],
  rounds: number,
  sample: (lane: Lane) => number | Promise<number>,
  drop?: (lane: Lane, error: unknown) => void | Promise<void>,
): Promise<ReadonlyMap<Lane, readonly number[]>> {
  const times = new Map(lanes.map((lane) => [lane, [] as number[]]));
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const lane of shuffled([...times.keys()], round + warmUpRounds)) {
      try {
        const time = await sample(lane);
        if (round >= 0) times.get(lane)!.push(time);
      } catch (error) {
        if (drop === undefined) throw error;
        times.delete(lane);
        await drop(lane, error);
      }
    }
  }
  return times;
}

/** Microseconds of this thread for one call, as the mean of so many. */
export function microsecondsOf(call: () => void, calls = 1): number {
  const start = performance.now();
  for (let made = 0; made < calls; made++) call();
  return ((performance.now() - start) * 1000) / calls;
}
