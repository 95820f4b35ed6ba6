/** One workload in one type: equal results first, then times. */
import { CudaStream, memoryInfo } from '../..';
import { statesOf } from '../states';
import { noErrors, worseOf } from './accuracy';
import { Buffers } from './buffers';
import { makeReady, newCriterion, operationNames, put } from './operations';
import type { Pace } from './plan';
import type { GpuProblem } from './problem';
import type { GpuErrors, HostTimes, Operation, OperationResult } from './report';
import { capture, hostTimes, measurement, Stopwatch, type Lane } from './stopwatch';
import { bufferCount, bytesMoved, bytesOf } from './traffic';
import { checkOperation, checkWhole } from './verify';

export interface Measured {
  readonly buffers: number;
  readonly operations: readonly OperationResult[];
  readonly hostMicroseconds: HostTimes;
}

/** `copyBandwidth`: bytes a second of the copy of this run. */
export function measureOurs(
  problem: GpuProblem,
  pace: Pace,
  copyBandwidth: number | null,
): Measured {
  const stream = new CudaStream();
  const errors = new Map(
    operationNames.map((name) => [name, checkOperation(name, problem, stream)] as const),
  );
  const count = pace.buffers ?? roomFor(problem);
  const buffers = new Buffers(problem, count, stream);
  try {
    const whole = checkWhole(problem, buffers, stream);
    const times = timesOf(problem, buffers, stream, pace.rounds);
    const results = operationNames.map((operation): OperationResult => {
      const found = errors.get(operation)!;
      const worstErrors = operation === 'forwardBackward' ? worseOf(found, whole) : found;
      return result(operation, problem, times.get(operation)!, worstErrors, pace, copyBandwidth);
    });
    return {
      buffers: count,
      operations: results,
      hostMicroseconds: timesOfHost(problem, buffers, stream, pace),
    };
  } finally {
    stream.synchronize();
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

function timesOf(
  problem: GpuProblem,
  buffers: Buffers,
  stream: CudaStream,
  rounds: number,
): ReadonlyMap<Operation, readonly number[]> {
  const criterion = newCriterion(problem.classes);
  criterion.loadStateDict(statesOf(problem).steady);
  const stopwatch = new Stopwatch(stream);
  const graphs = operationNames.map((operation) => ({
    operation,
    graph: capture(stream, () => {
      for (const buffer of buffers.items) put(operation, criterion, buffer, stream);
    }),
  }));
  try {
    const lanes = graphs.map(({ operation, graph }): Lane => ({
      id: operation,
      calls: buffers.items.length,
      before: () => {
        makeReady(operation, buffers, stream);
      },
      run: () => {
        graph.replay(stream);
      },
    }));
    return stopwatch.race(lanes, rounds) as ReadonlyMap<Operation, readonly number[]>;
  } finally {
    for (const { graph } of graphs) graph.dispose();
    stopwatch.dispose();
    criterion.dispose();
  }
}

function result(
  operation: Operation,
  problem: GpuProblem,
  microseconds: readonly number[],
  errors: GpuErrors = noErrors,
  { emulated }: Pace,
  copyBandwidth: number | null,
): OperationResult {
  const bytes = bytesMoved(operation, problem, problem.type);
  const rates = microseconds.map((time) => (bytes * 1e6) / time);
  return {
    operation,
    bytes,
    microseconds: measurement(emulated, microseconds),
    bytesPerSecond: measurement(emulated, rates),
    shareOfCopy:
      copyBandwidth === null
        ? null
        : measurement(
            emulated,
            rates.map((rate) => rate / copyBandwidth),
          ),
    errors,
  };
}

function timesOfHost(
  problem: GpuProblem,
  { items: [buffer] }: Buffers,
  stream: CudaStream,
  { rounds, emulated }: Pace,
): HostTimes {
  const criterion = newCriterion(problem.classes);
  criterion.loadStateDict(statesOf(problem).steady);
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
    criterion.dispose();
  }
}
