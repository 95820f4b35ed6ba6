/** One workload in one type: equal results first, then times. */
import { CudaStream, memoryInfo } from '../..';
import { worseOf } from '../measure/accuracy';
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
  const stream = new CudaStream();
  const errors = new Map(
    operationNames.map((name) => [name, checkOperation(name, problem, stream)] as const),
  );
  const count = pace.buffers ?? roomFor(problem);
  const buffers = new Buffers(problem, count, stream);
  const criterion = newCriterion(problem.classes, 'auto');
  try {
    const whole = checkWhole(problem, buffers, stream);
    criterion.loadStateDict(statesOf(problem).steady);
    const times = await timesOf(criterion, buffers, stream, pace.rounds);
    const results = operationNames.map((operation): OperationResult => {
      const found = errors.get(operation)!;
      const worstErrors = operation === 'forwardBackward' ? worseOf(found, whole) : found;
      return result(operation, problem, times.get(operation)!, worstErrors, pace, copyBandwidth);
    });
    return {
      buffers: count,
      operations: results,
      hostMicroseconds: timesOfHost(criterion, buffers, stream, pace),
    };
  } finally {
    stream.synchronize();
    criterion.dispose();
    buffers.dispose();
    stream.dispose();
  }
}

function roomFor({ rows, classes, type }: GpuProblem): number {
  const bytes = 2 * rows * classes * bytesOf[type] + rows * Int32Array.BYTES_PER_ELEMENT;
  const { free, reserved, inUse } = memoryInfo();
  const count = bufferCount(bytes, free + reserved - inUse);
  if (count > 0) return count;
  const gigabytes = (size: number): string => `${(size / 1e9).toFixed(1)} GB`;
  throw new Error(`needs ${gigabytes(2 * bytes)} of memory, ${gigabytes(free)} are free`);
}

type Criterion = ReturnType<typeof newCriterion>;

async function timesOf(
  criterion: Criterion,
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
  const bytes = bytesMoved(operation, problem, problem.type);
  const rates = microseconds.map((time) => (bytes * 1e6) / time);
  const shares = copyBandwidth === null ? null : rates.map((rate) => rate / copyBandwidth);
  return {
    operation,
    bytes,
    microseconds: measurement(emulated, microseconds),
    bytesPerSecond: measurement(emulated, rates),
    shareOfCopy: shares && measurement(emulated, shares),
    errors,
  };
}

function timesOfHost(
  criterion: Criterion,
  { items: [buffer] }: Buffers,
  stream: CudaStream,
  { rounds, emulated }: Pace,
): HostTimes {
  const step = (): void => void put('forwardBackward', criterion, buffer!, stream);
  const graph = capture(stream, step);
  try {
    const captured = hostTimes(stream, rounds, () => {
      graph.replay(stream);
    });
    const uncaptured = hostTimes(stream, rounds, step);
    return {
      captured: measurement(emulated, captured),
      uncaptured: measurement(emulated, uncaptured),
    };
  } finally {
    graph.dispose();
  }
}
