/** A report in the order in which it is read: Markdown and HTML are made of the same. */
import {
  crossoverLine,
  deviceLines,
  emulatedNote,
  hostArraysTable,
  hostTimesLine,
  operationTable,
  paceLines,
  peerTable,
} from './gpu-tables';
import type { Picture } from './pictures';
import type { GpuSection, Report } from './report';
import {
  distributionTable,
  figureTable,
  machineTable,
  resultTable,
  skippedTable,
  workloadTitle,
  type Table,
} from './tables';

/** A paragraph, a table or a picture. */
export type Part = string | Table | Picture;

export interface Section {
  readonly title: string;
  readonly parts: readonly Part[];
}

export function titleOf({ package: name, gpu }: Report): string {
  const kind = gpu === undefined ? '' : gpu.emulated ? 'EMULATED GPU ' : 'GPU ';
  return `${name}: ${kind}benchmark`;
}

/** What is above all sections. */
export function introduction(report: Report): Part[] {
  const { gpu } = report;
  if (gpu === undefined) return [machineTable(report)];
  const machine = machineTable(report, deviceLines(gpu), paceLines(gpu));
  return gpu.emulated ? [emulatedNote, machine] : [machine];
}

/** Those that have something in them. */
export function sectionsOf(report: Report, pictures: readonly Picture[] = []): Section[] {
  const { workloads, notMeasured, gpu } = report;
  const picturesOf = (subject: Picture['workload']): Picture[] =>
    pictures.filter(({ workload }) => workload === subject);
  const sections: Section[] = [
    ...workloads.map((workload) => ({
      title: workloadTitle(workload),
      parts: [...picturesOf(workload), resultTable(workload)],
    })),
    ...(gpu === undefined ? [] : gpuSections(gpu)),
    { title: 'Distance from the memory roof, and scaling', parts: picturesOf(null) },
    { title: 'Speed by distribution of values', parts: [distributionTable([report])] },
    { title: 'Figures', parts: [figureTable(report.figures)] },
    { title: 'Not measured', parts: notMeasured.length > 0 ? [`${notMeasured.join('; ')}.`] : [] },
    { title: 'Skipped', parts: [skippedTable([...workloads, ...(gpu?.workloads ?? [])])] },
  ];
  return sections
    .map(({ title, parts }) => ({ title, parts: parts.filter(hasContent) }))
    .filter(({ parts }) => parts.length > 0);
}

function gpuSections(gpu: GpuSection): Section[] {
  return [
    ...gpu.workloads.map((workload) => ({
      title: `${workloadTitle(workload)}, ${workload.type}`,
      parts: [operationTable(workload), hostTimesLine(workload), peerTable(workload.peers)],
    })),
    {
      title: 'Arrays of the host, on the GPU and on the CPU',
      parts: [hostArraysTable(gpu), crossoverLine(gpu)],
    },
  ];
}

function hasContent(part: Part): boolean {
  return typeof part === 'string' || !isTable(part) || part.rows.length > 0;
}

export function isTable(part: Table | Picture): part is Table {
  return 'rows' in part;
}
