/** One workload in one type: equal results first, then times. */
import { CudaStream, memoryInfo, type EqualizedFocalLoss } from '../..';
import { worseOf } from '../measure/accuracy';
import { bytes } from '../report/format';
import type { Errors, HostTimes, Operation, OperationResult } from '../report/report';
import { newCriterion, statesOf } from '../workload/criterion';
import { Buffers } from './buffers';
import { makeReady, operationNames, put } from './operations';
import type { Pace } from './plan';
import type { GpuProblem } from './problem';
import { capture, hostTimes, measurement, raceOnDevice } from './stopwatch';
import { bufferCount, bytesMoved, bytesOf } from './traffic';
import { checkOperation, checkWhole } from './verify';

export interface Measured {
  readonly buffers: number;
  readonly operations: readonly OperationResult[];
  readonly hostMicroseconds: HostTimes;
}

/** `copyBandwidth`: bytes a second of the copy of this run. */
export async function measureOurs(
  problem: GpuProblem,
  pace: Pace,
  copyBandwidth: number | null,
): Promise<Measured> {
  using stream = new CudaStream();
  const errors = new Map(
    operationNames.map((name) => [name, checkOperation(name, problem, stream)] as const),
  );
  const count = pace.buffers ?? roomFor(problem);
  using buffers = new Buffers(problem, count, stream);
  using criterion = newCriterion(problem.classes, 'auto');
  try {
    const whole = checkWhole(problem, buffers, stream);
    criterion.loadStateDict(statesOf(problem).steady);
    const times = await timesOf(criterion, buffers, stream, pace.rounds);
    const results = operationNames.map((operation): OperationResult => {
      const found = errors.get(operation)!;
      const worstErrors = operation === 'forwardBackward' ? worseOf(found, whole) : found;
      return result(operation, problem, times.get(operation)!, worstErrors, pace, copyBandwidth);
    });
    const hostMicroseconds = timesOfHost(criterion, buffers, stream, pace);
    return { buffers: count, operations: results, hostMicroseconds };
  } finally {
    stream.synchronize(); // what is under way is done with the buffers
  }
}

function roomFor({ rows, classes, type }: GpuProblem): number {
  const needed = 2 * rows * classes * bytesOf[type] + rows * Int32Array.BYTES_PER_ELEMENT;
  const { free, reserved, inUse } = memoryInfo();
  const count = bufferCount(needed, free + reserved - inUse);
  if (count > 0) return count;
  throw new Error(`needs ${bytes(2 * needed)} of memory, ${bytes(free)} are free`);
}

async function timesOf(
  criterion: EqualizedFocalLoss,
  buffers: Buffers,
  stream: CudaStream,
  rounds: number,
): Promise<ReadonlyMap<Operation, readonly number[]>> {
  const lanes = operationNames.map((operation) => {
    const graph = capture(stream, () => {
      for (const buffer of buffers.items) put(operation, criterion, buffer, stream);
    });
    return {
      ...{ operation, graph, calls: buffers.items.length },
      before: () => {
        makeReady(operation, buffers, stream);
      },
      run: () => {
        graph.replay(stream);
      },
    };
  });
  try {
    const times = await raceOnDevice(stream, lanes, rounds);
    return new Map(lanes.map((lane) => [lane.operation, times.get(lane)!]));
  } finally {
    for (const { graph } of lanes) graph.dispose();
  }
}

function result(
  operation: Operation,
  problem: GpuProblem,
  microseconds: readonly number[],
  errors: Errors,
  { emulated }: Pace,
  copyBandwidth: number | null,
): OperationResult {
  const moved = bytesMoved(operation, problem, problem.type);
  const rates = microseconds.map((time) => (moved * 1e6) / time);
  const shares = copyBandwidth === null ? null : rates.map((rate) => rate / copyBandwidth);
  return {
    operation,
    bytes: moved,
    microseconds: measurement(emulated, microseconds),
    bytesPerSecond: measurement(emulated, rates),
    shareOfCopy: shares && measurement(emulated, shares),
    errors,
  };
}

function timesOfHost(
  criterion: EqualizedFocalLoss,
  { items: [buffer] }: Buffers,
  stream: CudaStream,
  { rounds, emulated }: Pace,
): HostTimes {
  const step = (): void => void put('forwardBackward', criterion, buffer!, stream);
  using graph = capture(stream, step);
  const replay = (): void => {
    graph.replay(stream);
  };
  return {
    captured: measurement(emulated, hostTimes(stream, rounds, replay)),
    uncaptured: measurement(emulated, hostTimes(stream, rounds, step)),
  };
}
