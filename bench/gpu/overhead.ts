/** What has no workload: the copy that sets the pace, and what putting work into a stream takes. */
import { CudaStream, CudaTensor, memoryInfo, type CudaGraph } from '../..';
import type { GpuSection, LaunchOverhead } from '../report/report';
import type { Pace } from './plan';
import { capture, hostTimes, measurement, raceOnDevice, type Lane } from './stopwatch';

const pairs = 4;

/** A copy reads every byte and writes it. */
export async function measureCopy(
  bytes: number,
  { rounds, emulated }: Pace,
): Promise<GpuSection['copy']> {
  const values = Math.floor(Math.min(bytes, memoryInfo().free / (4 * pairs)) / 4);
  using stream = new CudaStream();
  const tensors = Array.from({ length: pairs }, () => {
    const from = CudaTensor.empty([values], { stream });
    return { from: from.copyFrom(new Float32Array(values), { stream }), to: emptyLike(from) };
  });
  using graph = capture(stream, () => {
    for (const { from, to } of tensors) to.copyFrom(from, { stream });
  });
  try {
    const lane = laneOf(pairs, stream, graph);
    const times = (await raceOnDevice(stream, [lane], rounds)).get(lane)!;
    const rates = times.map((microseconds) => (8 * values * 1e6) / microseconds);
    return { bytes: 8 * values, bytesPerSecond: measurement(emulated, rates) };
  } finally {
    for (const tensor of tensors.flatMap(({ from, to }) => [from, to])) tensor.dispose();
  }
}

function laneOf(calls: number, stream: CudaStream, graph: CudaGraph): Lane {
  const run = (): void => {
    graph.replay(stream);
  };
  return { calls, run };
}

function emptyLike({ shape, dtype }: CudaTensor): CudaTensor {
  return CudaTensor.empty(shape, { dtype });
}

const copies = 200;

export async function measureLaunch({ rounds, emulated }: Pace): Promise<LaunchOverhead> {
  using stream = new CudaStream();
  using from = CudaTensor.fromHost(new Float32Array(4));
  using to = emptyLike(from);
  const one = (): void => void to.copyFrom(from, { stream });
  const many = (): void => {
    for (let i = 0; i < copies; i++) one();
  };
  using graph = capture(stream, many);
  const [inGraph, inStream] = [laneOf(copies, stream, graph), { calls: copies, run: many }];
  const times = await raceOnDevice(stream, [inGraph, inStream], rounds);
  return {
    inGraphMicroseconds: measurement(emulated, times.get(inGraph)!),
    inStreamMicroseconds: measurement(emulated, times.get(inStream)!),
    hostMicroseconds: measurement(emulated, hostTimes(stream, rounds, one)),
  };
}
