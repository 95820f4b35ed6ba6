/** What has no workload: the copy that sets the pace, and what putting work into a stream takes. */
import { CudaStream, CudaTensor, memoryInfo } from '../..';
import type { GpuReport, LaunchOverhead } from './report';
import type { Pace } from './plan';
import { capture, hostTimes, measurement, Stopwatch } from './stopwatch';

const pairs = 4;

/** A copy reads every byte and writes it. */
export function measureCopy(bytes: number, { rounds, emulated }: Pace): GpuReport['copy'] {
  const values = Math.floor(Math.min(bytes, memoryInfo().free / (4 * pairs)) / 4);
  const stream = new CudaStream();
  const tensors = Array.from({ length: pairs }, () => {
    const from = CudaTensor.empty([values], { stream });
    return { from: from.copyFrom(new Float32Array(values), { stream }), to: emptyLike(from) };
  });
  const stopwatch = new Stopwatch(stream);
  const graph = capture(stream, () => {
    for (const { from, to } of tensors) to.copyFrom(from, { stream });
  });
  try {
    const run = (): void => {
      graph.replay(stream);
    };
    const times = stopwatch.race([{ id: 'copy', calls: pairs, run }], rounds).get('copy')!;
    const rates = times.map((microseconds) => (8 * values * 1e6) / microseconds);
    return { bytes: 8 * values, bytesPerSecond: measurement(emulated, rates) };
  } finally {
    graph.dispose();
    stopwatch.dispose();
    for (const { from, to } of tensors) {
      from.dispose();
      to.dispose();
    }
    stream.dispose();
  }
}

function emptyLike({ shape, dtype }: CudaTensor): CudaTensor {
  return CudaTensor.empty(shape, { dtype });
}

const copies = 200;

export function measureLaunch({ rounds, emulated }: Pace): LaunchOverhead {
  const stream = new CudaStream();
  const from = CudaTensor.fromHost(new Float32Array(4));
  const to = emptyLike(from);
  const one = (): void => void to.copyFrom(from, { stream });
  const many = (): void => {
    for (let i = 0; i < copies; i++) one();
  };
  const stopwatch = new Stopwatch(stream);
  const graph = capture(stream, many);
  const replay = (): void => {
    graph.replay(stream);
  };
  try {
    const lanes = [
      { id: 'graph', calls: copies, run: replay },
      { id: 'stream', calls: copies, run: many },
    ];
    const times = stopwatch.race(lanes, rounds);
    return {
      inGraphMicroseconds: measurement(emulated, times.get('graph')!),
      inStreamMicroseconds: measurement(emulated, times.get('stream')!),
      hostMicroseconds: measurement(emulated, hostTimes(stream, rounds, one)),
    };
  } finally {
    graph.dispose();
    stopwatch.dispose();
    from.dispose();
    to.dispose();
    stream.dispose();
  }
}
