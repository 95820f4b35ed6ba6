/** The tables of a run on a GPU. */
import { bandwidth, bytes, digits, percentSpread, worstError } from './format';
import type {
  GpuSection,
  GpuWorkloadResult,
  HostArraysResult,
  Measurement,
  Operation,
  PeerResult,
} from './report';
import { table, type Table } from './tables';

/** In the order in which they are measured. */
export const operationTitles: Readonly<Record<Operation, string>> = {
  copy: 'copy of the logits',
  forward: 'forward',
  forwardBackward: 'forwardBackward',
  inPlace: 'forwardBackward, in place',
  forwardBackwardPlanes: 'forwardBackward, NCHW',
  collectRows: 'collectGrad',
  collectPlanes: 'collectGrad, NCHW',
};

export const emulatedNote =
  'EMULATED: computed by a model of CUDA on the CPU, for tests. Results are checked; no time was ' +
  'taken, and nothing here is a figure of a GPU.';

function text(value: Measurement, format: (median: number) => string): string {
  return value === null ? '-' : format(value.median);
}

const microseconds = (value: Measurement): string => text(value, (time) => `${digits(time)} us`);

const spread = (value: Measurement): string => (value === null ? '-' : percentSpread(value));

export function deviceLines({ device, deviceMemoryBytes }: GpuSection): string[][] {
  return [
    ['device', device],
    ['memory of the device', bytes(deviceMemoryBytes)],
  ];
}

export function paceLines({ copy, launch }: GpuSection): string[][] {
  return [
    ['copy bandwidth', `${text(copy.bytesPerSecond, bandwidth)}, ${copy.bytes} bytes moved`],
    ['a small copy, in a graph', microseconds(launch.inGraphMicroseconds)],
    ['a small copy, in a stream', microseconds(launch.inStreamMicroseconds)],
    ['a small copy, time of the host', microseconds(launch.hostMicroseconds)],
  ];
}

export function operationTable({ operations }: GpuWorkloadResult): Table {
  return table(
    ['operation', 'bytes', 'time', 'spread', 'bandwidth', 'of copy', 'worst error'],
    1,
    operations.map((result) => [
      operationTitles[result.operation],
      result.bytes.toLocaleString('en-US'),
      microseconds(result.microseconds),
      spread(result.microseconds),
      text(result.bytesPerSecond, bandwidth),
      text(result.shareOfCopy, (share) => `${(100 * share).toFixed(1)} %`),
      worstError(result),
    ]),
  );
}

export function peerTable(peers: readonly PeerResult[]): Table {
  return table(
    ['peer', 'version', 'time', 'spread', 'times ours', 'worst error'],
    2,
    peers.map((peer) => [
      peer.name,
      peer.version ?? '',
      microseconds(peer.microseconds),
      spread(peer.microseconds),
      text(peer.timesOurs, digits),
      worstError(peer),
    ]),
  );
}

export function hostTimesLine({ buffers, hostMicroseconds }: GpuWorkloadResult): string {
  const { captured, uncaptured } = hostMicroseconds;
  return (
    `${buffers} inputs in turn. Time of the host for one forwardBackward: captured ` +
    `${microseconds(captured)}, uncaptured ${microseconds(uncaptured)}.`
  );
}

export function hostArraysTable({ hostArrays }: GpuSection): Table {
  return table(
    ['rows x classes', 'GPU', 'CPU', 'CPU over GPU'],
    1,
    hostArrays.map((result) => [
      `${result.rows.toLocaleString('en-US')} x ${result.classes}`,
      microseconds(result.cudaMicroseconds),
      microseconds(result.cpuMicroseconds),
      text(result.ratio, digits),
    ]),
  );
}

/** The smallest size from which on the GPU stays ahead; null where it never is. */
export function crossover(results: readonly HostArraysResult[]): HostArraysResult | null {
  let found: HostArraysResult | null = null;
  for (const result of [...results].sort((a, b) => b.rows - a.rows)) {
    if (!(result.ratio !== null && result.ratio.median > 1)) break;
    found = result;
  }
  return found;
}

export function crossoverLine({ emulated, hostArrays }: GpuSection): string {
  if (emulated) return 'EMULATED: whether the GPU is faster is not known.';
  const found = crossover(hostArrays);
  return found === null
    ? 'The CPU is faster for the largest of them.'
    : `The GPU is faster from ${found.rows.toLocaleString('en-US')} x ${found.classes} on.`;
}
