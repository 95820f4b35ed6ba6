import { CudaEvent, CudaGraph, type CudaStream } from '../..';
import { microsecondsOf, race } from '../measure/race';
import { spreadOf } from '../measure/statistics';
import type { Measurement } from '../report/report';

/** Work for a device that is timed beside others. */
export interface Lane {
  /** Calls in one sample. */
  readonly calls: number;
  /** Not timed, before each sample. */
  readonly before?: () => void;
  /** Puts the calls into the stream. */
  readonly run: () => void;
}

/** Microseconds of one call on the device, between two events in a stream, for every round. */
export async function raceOnDevice<L extends Lane>(
  stream: CudaStream,
  lanes: readonly L[],
  rounds: number,
): Promise<ReadonlyMap<L, readonly number[]>> {
  using start = new CudaEvent();
  using end = new CudaEvent();
  return await race(lanes, rounds, ({ calls, before, run }) => {
    before?.();
    start.record(stream);
    run();
    end.record(stream);
    end.synchronize();
    return (end.elapsedSince(start) * 1000) / calls;
  });
}

/** Calls that were captured once: what is timed is the device, not this thread. */
export function capture(stream: CudaStream, work: () => void): CudaGraph {
  work(); // takes the memory that the calls need
  stream.synchronize();
  return CudaGraph.capture(stream, work);
}

/** Microseconds of this thread for one call, in each round; so few that no queue is full. */
export function hostTimes(stream: CudaStream, rounds: number, call: () => void): number[] {
  return Array.from({ length: rounds }, () => {
    call();
    stream.synchronize();
    const time = microsecondsOf(call, 16);
    stream.synchronize();
    return time;
  });
}

/** Nothing on an emulated device, whose times say nothing of a GPU. */
export function measurement(emulated: boolean, values: readonly number[]): Measurement {
  return emulated ? null : spreadOf(values);
}
