import { CudaEvent, CudaGraph, type CudaStream } from '../..';
import { shuffled, spreadOf } from '../statistics';
import type { Measurement } from './report';

/** Work for a device that is timed beside others. */
export interface Lane {
  readonly id: string;
  /** Calls in one sample. */
  readonly calls: number;
  /** Not timed, before each sample. */
  readonly before?: () => void;
  /** Puts the calls into the stream. */
  readonly run: () => void;
}

/** Times on the device between two events in a stream. */
export class Stopwatch {
  readonly stream: CudaStream;
  readonly #start = new CudaEvent();
  readonly #end = new CudaEvent();

  constructor(stream: CudaStream) {
    this.stream = stream;
  }

  /** Microseconds of one call. */
  sample({ calls, before, run }: Lane): number {
    before?.();
    this.#start.record(this.stream);
    run();
    this.#end.record(this.stream);
    this.#end.synchronize();
    return (this.#end.elapsedSince(this.#start) * 1000) / calls;
  }

  /** One sample of each in every round, in another order each time; two rounds warm up. */
  race(lanes: readonly Lane[], rounds: number): ReadonlyMap<string, readonly number[]> {
    const times = new Map(lanes.map(({ id }) => [id, [] as number[]]));
    for (let round = -2; round < rounds; round++) {
      for (const lane of shuffled(lanes, round + 2)) {
        const time = this.sample(lane);
        if (round >= 0) times.get(lane.id)!.push(time);
      }
    }
    return times;
  }

  dispose(): void {
    this.#start.dispose();
    this.#end.dispose();
  }
}

/** Calls that were captured once: what is timed is the device, not this thread. */
export function capture(stream: CudaStream, work: () => void): CudaGraph {
  work(); // takes the memory that the calls need
  stream.synchronize();
  return CudaGraph.capture(stream, work);
}

/** Microseconds of this thread for one call, in each round; so few that no queue is full. */
export function hostTimes(stream: CudaStream, rounds: number, call: () => void): number[] {
  const calls = 16;
  return Array.from({ length: rounds }, () => {
    call();
    stream.synchronize();
    const start = performance.now();
    for (let i = 0; i < calls; i++) call();
    const elapsed = performance.now() - start;
    stream.synchronize();
    return (elapsed * 1000) / calls;
  });
}

/** Nothing on an emulated device, whose times say nothing of a GPU. */
export function measurement(emulated: boolean, values: readonly number[]): Measurement {
  return emulated ? null : spreadOf(values);
}
