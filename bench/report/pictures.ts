/** The pictures of a report, each an SVG document with the name it is stored under. */
import { timesChart } from './bars-chart';
import { rooflineChart } from './roofline-chart';
import { studyChart } from './study-chart';
import type { Report, WorkloadResult } from './report';
import { workloadTitle } from './tables';

export interface Picture {
  /** File name without an ending. */
  readonly name: string;
  /** What it shows, for those who do not see it. */
  readonly description: string;
  /** The one it belongs to; null where it is of the report as a whole. */
  readonly workload: WorkloadResult | null;
  readonly svg: string;
}

export async function picturesOf(report: Report): Promise<Picture[]> {
  const { workloads, studies } = report;
  const pictures: Picture[] = [];
  for (const workload of workloads.filter(({ results }) => results.length > 0)) {
    pictures.push({
      name: `times-${workload.rows}x${workload.classes}-${workload.distribution ?? workload.gamma}`,
      description: `Time a logit of every contender, ${workloadTitle(workload)}`,
      workload,
      svg: await timesChart(workload),
    });
  }
  if (workloads.some(({ results }) => results.some(({ family }) => family === 'ours'))) {
    const description = 'Bytes a second of this package beside those of a copy, for every workload';
    const svg = await rooflineChart(report);
    pictures.push({ name: 'roofline', description, workload: null, svg });
  }
  for (const study of studies) {
    const { id, title: description } = study;
    const svg = await studyChart(study);
    pictures.push({ name: `study-${id}`, description, workload: null, svg });
  }
  return pictures;
}
