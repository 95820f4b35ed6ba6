/**
 * How far from the memory roof. Logits have to be read and gradients written, as many bytes as a
 * copy of the logits moves: what the package reaches of the copy's speed is its distance from the
 * roof. (A roofline over operations per byte would be one point: all logits take the same work.)
 */
import { bandwidth, threadCount } from './format';
import type { ContenderResult, Report, WorkloadResult } from './report';
import { workloadTitle } from './tables';
import { barText, draw, nameAxis, whiskers, type Specification } from './draw';

/** Float32: four bytes in, four bytes out. */
const bytesPerLogit = 8;

interface Bar {
  readonly workload: string;
  readonly label: string;
  /** Share of the copy's speed in percent. */
  readonly share: number;
  readonly lower: number;
  readonly upper: number;
  readonly text: string;
}

export function rooflineChart(report: Report): Promise<string> {
  const bars = report.workloads.flatMap((workload) => barsOf(workload, report));
  return draw({
    title: {
      text: 'Distance from the memory roof',
      subtitle: [
        'Speed of reading logits and writing gradients, as a share of a copy of the logits with as',
        'many threads in the same run. Small problems stay in the caches, where copies are faster.',
      ],
    },
    data: { values: bars },
    facet: { row: facet(report) },
    spacing: 8,
    spec: panel(bars),
    resolve: { scale: { y: 'independent' } },
  });
}

function barsOf(workload: WorkloadResult, report: Report): Bar[] {
  return workload.results
    .filter(({ family }) => family === 'ours')
    .flatMap((result) => barOf(workload, result, report))
    .sort((a, b) => b.share - a.share);
}

function barOf(workload: WorkloadResult, result: ContenderResult, report: Report): Bar[] {
  const roof = roofOf(workload, result.threads, report);
  if (roof === undefined) return [];
  const speed = (nanoseconds: number): number => (bytesPerLogit / nanoseconds) * 1e9;
  const share = (nanoseconds: number): number => (100 * speed(nanoseconds)) / roof;
  const { median, lower, upper } = result.nanosecondsPerLogit;
  return [
    {
      workload: workloadTitle(workload),
      label: `${result.name}, ${threadCount(result.threads)}`,
      ...{ share: share(median), lower: share(upper), upper: share(lower) },
      text: `${share(median).toFixed(0)} %: ${bandwidth(speed(median))} of ${bandwidth(roof)}`,
    },
  ];
}

/** Bytes a second of a copy of these logits if it was timed, else of memory at large. */
function roofOf(workload: WorkloadResult, threads: number, report: Report): number | undefined {
  const copy = workload.results.find(
    (result) => result.family === 'copy' && result.threads === threads,
  );
  if (copy !== undefined) return (bytesPerLogit / copy.nanosecondsPerLogit.median) * 1e9;
  const measured = report.copyBandwidth.find((candidate) => candidate.threads === threads);
  return measured?.bytesPerSecond.median;
}

function facet({ workloads }: Report): Specification {
  const header = { labelAngle: 0, labelAnchor: 'start', labelOrient: 'top', labelPadding: 2 };
  return {
    field: 'workload',
    type: 'nominal',
    sort: workloads.map(workloadTitle),
    title: null,
    header,
  };
}

function panel(bars: readonly Bar[]): Specification {
  const end = Math.max(100, ...bars.map(({ upper }) => upper));
  return {
    width: 560,
    height: { step: 21 },
    encoding: {
      y: nameAxis('label'),
      x: {
        field: 'share',
        type: 'quantitative',
        title: 'share of the speed of a copy, %',
        scale: { domain: [0, end * 1.02], nice: false },
      },
    },
    layer: [roofRule, shareBars, whiskers, texts],
  };
}

const roofRule: Specification = {
  mark: { type: 'rule', color: '#1f2933', strokeWidth: 2 },
  encoding: { x: { datum: 100 }, y: null },
};

const shareBars: Specification = { mark: { type: 'bar', height: 14, color: '#e4572e' } };

/** A white edge keeps the text readable where it crosses the roof. */
const texts: Specification = {
  layer: [barText({ stroke: 'white', strokeWidth: 4 }), barText()],
};
