/** The report as Markdown. */
import { bandwidth, digits, machineLines, percentSpread } from '../report/format';
import { markdownTable } from '../report/markdown';
import type { Table } from '../report/tables';
import { crossover } from './host-arrays';
import { operations } from './operations';
import type { GpuErrors, GpuReport, GpuWorkloadResult, Measurement } from './report';

const emulatedNote =
  'EMULATED: computed by a model of CUDA on the CPU, for tests. Results are checked; no time was ' +
  'taken, and nothing here is a figure of a GPU.';

export function markdownOf(report: GpuReport): string {
  const sections = [
    `# ${report.package}: ${report.emulated ? 'EMULATED ' : ''}GPU benchmark`,
    ...(report.emulated ? [emulatedNote] : []),
    markdownTable(machineTable(report)),
    ...report.workloads.flatMap(workloadSections),
    ...(report.failures.length > 0 ? ['## Failed', markdownTable(failureTable(report))] : []),
    '## Arrays of the host, on the GPU and on the CPU',
    markdownTable(hostArraysTable(report)),
    crossoverLine(report),
  ];
  return `${sections.join('\n\n')}\n`;
}

const none = '-';

function text(value: Measurement, format: (median: number) => string): string {
  return value === null ? none : format(value.median);
}

function spread(value: Measurement): string {
  return value === null ? none : percentSpread(value);
}

const microseconds = (value: Measurement): string => text(value, (time) => `${digits(time)} us`);

function machineTable(report: GpuReport): Table {
  const { launch, copy } = report;
  const rows = [
    ['device', report.device],
    ['memory of the device', `${digits(report.deviceMemoryBytes / 2 ** 30)} GiB`],
    ...machineLines(report.machine),
    ['copy bandwidth', `${text(copy.bytesPerSecond, bandwidth)}, ${copy.bytes} bytes moved`],
    ['a small copy, in a graph', microseconds(launch.inGraphMicroseconds)],
    ['a small copy, in a stream', microseconds(launch.inStreamMicroseconds)],
    ['a small copy, time of the host', microseconds(launch.hostMicroseconds)],
    ['measured', report.created],
    ['command', report.command],
  ];
  return { head: ['machine', ''], figures: [false, false], rows };
}

function workloadSections(workload: GpuWorkloadResult): string[] {
  const { rows, classes, gamma, type, buffers, skipped, hostMicroseconds } = workload;
  const shape = `${rows.toLocaleString('en-US')} x ${classes.toLocaleString('en-US')}`;
  const { captured, uncaptured } = hostMicroseconds;
  return [
    `## ${shape}, ${type}${gamma === 'two' ? ', gamma 2' : ''}`,
    markdownTable(operationTable(workload)),
    `${buffers} inputs in turn. Time of the host for one forwardBackward: captured ` +
      `${microseconds(captured)}, uncaptured ${microseconds(uncaptured)}.`,
    ...(workload.peers.length > 0 ? [markdownTable(peerTable(workload))] : []),
    ...(skipped.length > 0
      ? [skipped.map(({ name, reason }) => `- ${name}: skipped, ${reason}`).join('\n')]
      : []),
  ];
}

export function operationTable({ operations: results }: GpuWorkloadResult): Table {
  const head = ['operation', 'bytes', 'time', 'spread', 'bandwidth', 'of copy', 'worst error'];
  return {
    head,
    figures: head.map((_, column) => column > 0),
    rows: results.map((result) => [
      operations[result.operation],
      result.bytes.toLocaleString('en-US'),
      microseconds(result.microseconds),
      spread(result.microseconds),
      text(result.bytesPerSecond, bandwidth),
      text(result.shareOfCopy, (share) => `${(100 * share).toFixed(1)} %`),
      worstOf(result.errors),
    ]),
  };
}

function peerTable({ peers }: GpuWorkloadResult): Table {
  const head = ['peer', 'version', 'time', 'spread', 'times ours', 'worst error'];
  return {
    head,
    figures: head.map((_, column) => column > 1),
    rows: peers.map((peer) => [
      peer.name,
      peer.version ?? '',
      microseconds(peer.microseconds),
      spread(peer.microseconds),
      text(peer.timesOurs, digits),
      worstOf(peer.errors),
    ]),
  };
}

function worstOf({ loss, gradient, statistics }: GpuErrors): string {
  const known = [loss, gradient, statistics].filter((error) => error !== null);
  return Math.max(...known).toExponential(1);
}

function failureTable({ failures }: GpuReport): Table {
  const rows = failures.map(({ workload, reason }) => [workload, reason]);
  return { head: ['workload', 'reason'], figures: [false, false], rows };
}

function hostArraysTable({ hostArrays }: GpuReport): Table {
  const head = ['rows x classes', 'GPU', 'CPU', 'CPU over GPU'];
  return {
    head,
    figures: head.map((_, column) => column > 0),
    rows: hostArrays.map((result) => [
      `${result.rows.toLocaleString('en-US')} x ${result.classes}`,
      microseconds(result.cudaMicroseconds),
      microseconds(result.cpuMicroseconds),
      text(result.ratio, digits),
    ]),
  };
}

function crossoverLine({ emulated, hostArrays }: GpuReport): string {
  if (emulated) return 'EMULATED: whether the GPU is faster is not known.';
  const found = crossover(hostArrays);
  return found === null
    ? 'The CPU is faster for the largest of them.'
    : `The GPU is faster from ${found.rows.toLocaleString('en-US')} x ${found.classes} on.`;
}
