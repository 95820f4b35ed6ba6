/** The tables of a report as rows of text: Markdown and HTML are made of the same. */
import {
  bandwidth,
  digits,
  figureValue,
  machineLines,
  percentSpread,
  processor,
  threadCount,
  worstError,
} from './format';
import { distributionNames, distributions, type Workload } from '../workload/workload';
import type { DistributionTimes, Figure, Report, WorkloadResult } from './report';

export interface Table {
  readonly head: readonly string[];
  /** Columns of figures are set flush right. */
  readonly figures: readonly boolean[];
  readonly rows: readonly (readonly string[])[];
}

export function table(head: readonly string[], textColumns: number, rows: string[][]): Table {
  return { head, figures: head.map((_, column) => column >= textColumns), rows };
}

/** `device` and `pace`: what a GPU adds. */
export function machineTable(
  report: Report,
  device: string[][] = [],
  pace: string[][] = [],
): Table {
  const versions = versionsOf(report.workloads);
  const copies = report.copyBandwidth.map(({ threads, bytesPerSecond }) => [
    `copy bandwidth, ${threadCount(threads)}`,
    `${bandwidth(bytesPerSecond.median)} (${percentSpread(bytesPerSecond)})`,
  ]);
  const rows = [
    ['package', report.package],
    ...device,
    ...machineLines(report.machine),
    ...copies,
    ...pace,
    ...(versions.length > 0 ? [['compared with', versions.join(', ')]] : []),
    ['measured', report.created],
    ['command', report.command],
  ];
  return table(['machine', ''], 2, rows);
}

/** Of the peers: `onnxruntime-node 1.30.0`. */
function versionsOf(workloads: readonly WorkloadResult[]): string[] {
  const peers = workloads.flatMap(({ results }) =>
    results.filter(({ family, version }) => family !== 'ours' && version !== null),
  );
  return [...new Set(peers.map(({ version }) => version!))];
}

const resultHead = [
  'contender',
  'threads',
  'ns/logit',
  'spread',
  'times copy',
  'times ours',
  'extra memory',
  'worst error',
];

/** Fastest first; the copy of the logits, which all are compared with, is among them. */
export function resultTable({ rows, results }: WorkloadResult): Table {
  const sorted = [...results].sort(
    (a, b) => a.nanosecondsPerLogit.median - b.nanosecondsPerLogit.median,
  );
  return table(
    resultHead,
    1,
    sorted.map((result) => [
      nameWithRows(result.name, result.rows, rows),
      `${result.threads}`,
      digits(result.nanosecondsPerLogit.median),
      percentSpread(result.nanosecondsPerLogit),
      digits(result.timesCopy.median),
      digits(result.timesOurs.median),
      result.extraMemory === null ? '' : `${digits(result.extraMemory)} x`,
      worstError(result),
    ]),
  );
}

/** Says so where a slow contender solved a part of the workload only. */
function nameWithRows(name: string, timed: number, all: number): string {
  return timed === all ? name : `${name} (${timed.toLocaleString('en-US')} rows)`;
}

export function isMet({ value, target }: Figure): boolean {
  if (target === null) return true;
  return target.bound === 'at most' ? value.median <= target.value : value.median >= target.value;
}

/** Beyond such a spread a median says little, and nothing of a target. */
const unsteady = 0.25;

function verdict(figure: Figure): string {
  if (figure.target === null) return '';
  const { median, lower, upper } = figure.value;
  if (upper - lower > 2 * unsteady * Math.abs(median)) return 'unsteady';
  return isMet(figure) ? 'met' : 'MISSED';
}

export function figureTable(figures: readonly Figure[]): Table {
  return table(
    ['figure', 'workload', 'value', 'spread', 'target', ''],
    2,
    figures.map((figure) => [
      figure.description,
      figure.workload,
      figureValue(figure.value.median, figure.unit),
      figure.value.lower === figure.value.upper ? '' : percentSpread(figure.value),
      figure.target === null
        ? ''
        : `${figure.target.bound} ${figureValue(figure.target.value, figure.unit)}`,
      verdict(figure),
    ]),
  );
}

const normal = (name: keyof typeof distributions): string =>
  `N(${distributions[name].mean}, ${distributions[name].deviation})`;

/** Of one report or several: nanoseconds a logit, and how much the values of the logits matter. */
export function distributionTable(
  reports: readonly Pick<Report, 'machine' | 'distributions'>[],
): Table {
  const columns = distributionNames.map((name) => `${name}, ${normal(name)}`);
  const rows = reports.flatMap(({ machine, distributions: measured }) =>
    measured.map((one) => [
      processor(machine),
      one.instructionSet,
      ...distributionNames.map((name) => timeOf(name, one)),
      `${digits(one.slowestOverUndecided.median)} x`,
      percentSpread(one.slowestOverUndecided),
    ]),
  );
  return table(['processor', 'kernels', ...columns, 'slowest : undecided', 'spread'], 2, rows);
}

function timeOf(name: string, { times }: DistributionTimes): string {
  const found = times.find(({ distribution }) => distribution === name);
  return found === undefined ? '' : digits(found.nanosecondsPerLogit.median);
}

/** What could not run is the same for all workloads more often than not: one row each. */
export function skippedTable(
  workloads: readonly Pick<WorkloadResult, 'name' | 'skipped'>[],
): Table {
  const where = new Map<string, { name: string; reason: string; workloads: string[] }>();
  for (const { name: workload, skipped } of workloads) {
    for (const { id, name, reason } of skipped) {
      const key = JSON.stringify([id, reason]);
      const entry = where.get(key) ?? { name, reason, workloads: [] };
      entry.workloads.push(workload);
      where.set(key, entry);
    }
  }
  const rows = [...where.values()].map((entry) => [
    entry.name,
    entry.workloads.length === workloads.length ? 'all' : entry.workloads.join(', '),
    entry.reason,
  ]);
  return table(['skipped', 'workloads', 'reason'], 3, rows);
}

/** The gamma decides which of two kernels runs. */
export function workloadTitle({ rows, classes, gamma, distribution }: Workload): string {
  const shape = `${rows.toLocaleString('en-US')} rows x ${classes.toLocaleString('en-US')} classes`;
  if (distribution !== undefined) return `${shape}, ${distribution}: ${normal(distribution)}`;
  return `${shape}, ${gamma === 'two' ? 'gamma 2 everywhere' : 'each class its own gamma'}`;
}
