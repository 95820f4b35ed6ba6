/** The pictures of a report, each an SVG document with the name it is stored under. */
import { timesChart } from './charts/bars';
import { rooflineChart } from './charts/roofline';
import { studyChart } from './charts/study';
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
  return [
    ...(await timesPictures(report)),
    ...(await rooflinePicture(report)),
    ...(await studyPictures(report)),
  ];
}

function timesPictures({ workloads }: Report): Promise<Picture[]> {
  const timed = workloads.filter(({ results }) => results.length > 0);
  return Promise.all(
    timed.map(async (workload) => ({
      name: `times-${workload.rows}x${workload.classes}-${workload.distribution ?? workload.gamma}`,
      description: `Time a logit of every contender, ${workloadTitle(workload)}`,
      workload,
      svg: await timesChart(workload),
    })),
  );
}

async function rooflinePicture(report: Report): Promise<Picture[]> {
  const ours = report.workloads.some(({ results }) =>
    results.some(({ family }) => family === 'ours'),
  );
  if (!ours) return [];
  const description = 'Bytes a second of this package beside those of a copy, for every workload';
  const svg = await rooflineChart(report);
  return [{ name: 'roofline', description, workload: null, svg }];
}

function studyPictures({ studies }: Report): Promise<Picture[]> {
  return Promise.all(
    studies.map(async (study) => ({
      name: `study-${study.id}`,
      description: study.title,
      workload: null,
      svg: await studyChart(study),
    })),
  );
}
