/** Time of each contender on one workload, on a logarithmic scale: they differ by thousands. */
import { digits, threadCount } from './format';
import type { ContenderResult, WorkloadResult } from './report';
import { workloadTitle } from './tables';
import { barText, draw, nameAxis, whiskers, type Specification } from './draw';

/** Distinct also without colours: the bars are named. Light enough for nothing to be lost on white. */
const families: Readonly<Record<ContenderResult['family'], { title: string; colour: string }>> = {
  copy: { title: 'copy of the logits', colour: '#9aa5b1' },
  ours: { title: 'this package', colour: '#e4572e' },
  javascript: { title: 'plain JavaScript', colour: '#d9a406' },
  onnxruntime: { title: 'ONNX Runtime', colour: '#4c78a8' },
  tfjs: { title: 'TensorFlow.js', colour: '#2a9d8f' },
  python: { title: 'Python', colour: '#8566ad' },
};

interface Bar {
  readonly label: string;
  readonly family: string;
  readonly time: number;
  readonly lower: number;
  readonly upper: number;
  readonly text: string;
}

export function timesChart(workload: WorkloadResult): Promise<string> {
  const bars = workload.results.map(barOf).sort((a, b) => a.time - b.time);
  // A logarithmic bar has to begin somewhere: at the decade (or its half) below the shortest.
  const start = floorOfDecade(Math.min(...bars.map(({ lower }) => lower)));
  const end = Math.max(...bars.map(({ upper }) => upper));
  return draw({
    title: {
      text: `Loss, gradient and statistics: ${workloadTitle(workload)}`,
      subtitle: 'Time of one logit, shorter is better; whiskers: the quarters around the median',
    },
    data: { values: bars },
    width: 460,
    height: { step: 24 },
    encoding: {
      y: nameAxis('label'),
      x: timeAxis(start, end),
    },
    layer: [barLayer(start), whiskers, barText()],
  });
}

function barOf(result: ContenderResult): Bar {
  const { median, lower, upper } = result.nanosecondsPerLogit;
  const ratio = result.timesOurs.median;
  return {
    label: `${result.name}, ${threadCount(result.threads)}`,
    family: families[result.family].title,
    ...{ time: median, lower, upper },
    text: `${digits(median)} ns, ${digits(ratio)} x ours`,
  };
}

function floorOfDecade(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(value));
  return value >= 4 * decade ? 2 * decade : decade / 2;
}

/** The text beside the longest bar needs about a third of the width. */
function timeAxis(start: number, end: number): Specification {
  return {
    field: 'time',
    type: 'quantitative',
    title: 'nanoseconds a logit (logarithmic)',
    scale: { type: 'log', domain: [start, end * (end / start) ** 0.45], nice: false },
    axis: { labelExpr: "format(datum.value, datum.value >= 1 ? ',~r' : '~g')", tickCount: 6 },
  };
}

function barLayer(start: number): Specification {
  const shown = Object.values(families);
  return {
    mark: { type: 'bar', height: 15, cornerRadiusEnd: 2 },
    encoding: {
      x2: { datum: start },
      color: {
        field: 'family',
        type: 'nominal',
        title: null,
        scale: {
          domain: shown.map(({ title }) => title),
          range: shown.map(({ colour }) => colour),
        },
        legend: null,
      },
    },
  };
}
