/** The figures that have targets, from the times of one run. */
import type { Measured, Outcome } from './contest';
import type { DistributionTimes, Figure } from './report/report';
import { fastestOfOurs } from './results';
import { ratioOf, single } from './measure/statistics';
import { nameOf, type Workload } from './workload/workload';

/** The time of one contender over that of another, round by round. */
interface Comparison {
  readonly id: string;
  readonly description: string;
  /** Ids; `ours` stands for the fastest of this package with all threads. */
  readonly of: string;
  readonly over: string;
  readonly target: Figure['target'];
  readonly gamma: Workload['gamma'];
  readonly leastLogits: number;
}

/** A copy that stays in the caches says nothing of the memory that large workloads wait for. */
const outOfCache = 10_000_000;
/** Enough work that starting it does not count. */
const enough = 1_000_000;

const atMost = (value: number): Figure['target'] => ({ bound: 'at most', value });
const atLeast = (value: number): Figure['target'] => ({ bound: 'at least', value });

function overCopy(
  id: string,
  kernels: string,
  of: string,
  target: number,
  gamma: Workload['gamma'] = 'mixed',
): Comparison {
  const description = `${kernels} over a copy of the logits, 2 threads each`;
  const compared = { of, over: 'copy-2', target: atMost(target) };
  return { id, description, ...compared, gamma, leastLogits: outOfCache };
}

function over(id: string, description: string, of: string, by: string, least: number): Comparison {
  const compared = { of, over: by, target: atLeast(least) };
  return { id, description, ...compared, gamma: 'mixed', leastLogits: enough };
}

const [avx512, avx2, scalar] = ['ours-avx512-1', 'ours-avx2-1', 'ours-scalar-1'] as const;
const [avx512On2, avx2On2] = ['ours-avx512-2', 'ours-avx2-2'] as const;

/** Contenders by their id, what is said of them, and how many times as long they take at least. */
const peers: readonly (readonly [id: string, description: string, least: number])[] = [
  ['onnxruntime-node', 'onnxruntime-node over this package', 40],
  ['python-torch-eager', 'PyTorch over this package, as installed', 160],
  ['python-torch-eager-tuned', 'PyTorch over this package, allocator tuned', 60],
  ['plain-javascript', 'plain JavaScript over this package', 120],
  ['tfjs-wasm', 'TensorFlow.js wasm over this package', 600],
];

const comparisons: readonly Comparison[] = [
  overCopy('avx512-over-copy', 'AVX-512', avx512On2, 2),
  overCopy('avx2-over-copy', 'AVX2', avx2On2, 3),
  overCopy('gamma-two-over-copy', 'AVX-512 with gamma 2', avx512On2, 1.7, 'two'),
  over('scalar-over-avx512', 'portable C++ over AVX-512, 1 thread', scalar, avx512, 25),
  over('scalar-over-avx2', 'portable C++ over AVX2, 1 thread', scalar, avx2, 16),
  over('threads-avx512', 'AVX-512, 1 thread over 2', avx512, avx512On2, 1.8),
  over('threads-avx2', 'AVX2, 1 thread over 2', avx2, avx2On2, 1.8),
  ...peers.map(([id, description, least]) => over(id, description, id, 'ours', least)),
];

/** How much of the memory of the fastest of ours is neither logits, labels nor gradient. */
const memoryTarget = 2 * 1024 * 1024;

export interface Figures {
  readonly figures: readonly Figure[];
  /** Descriptions of those that lack a contender or a workload. */
  readonly notMeasured: readonly string[];
}

export function figuresOf(outcomes: readonly Outcome[]): Figures {
  const found = comparisons.map((comparison) => ({
    comparison,
    figures: outcomes.flatMap((outcome) => compare(comparison, outcome)),
  }));
  return {
    figures: [...found.flatMap(({ figures }) => figures), ...outcomes.flatMap(memoryFigure)],
    notMeasured: found
      .filter(({ figures }) => figures.length === 0)
      .map(({ comparison: { description } }) => description),
  };
}

function compare(comparison: Comparison, { workload, measured }: Outcome): Figure[] {
  const { id, description, target, gamma, leastLogits } = comparison;
  const [slower, faster] = [pick(comparison.of, measured), pick(comparison.over, measured)];
  const fits = workload.gamma === gamma && workload.rows * workload.classes >= leastLogits;
  if (!fits || slower === undefined || faster === undefined) return [];
  const value = ratioOf(slower.times, faster.times);
  return [{ id, workload: nameOf(workload), description, value, unit: 'x', target }];
}

function pick(id: string, measured: readonly Measured[]): Measured | undefined {
  if (id === 'ours') return fastestOfOurs(measured);
  return measured.find(({ contender }) => contender.id === id);
}

function memoryFigure({ workload, measured }: Outcome): Figure[] {
  const { extraBytes, rows } = fastestOfOurs(measured);
  if (extraBytes === null || rows * workload.classes < enough) return [];
  const gradient = rows * workload.classes * Float32Array.BYTES_PER_ELEMENT;
  return [
    {
      id: 'extra-memory',
      workload: nameOf(workload),
      description: 'memory beyond logits, labels and gradient',
      value: single(extraBytes - gradient),
      unit: 'bytes',
      target: atMost(memoryTarget),
    },
  ];
}

/** What a logit costs must not grow while a model learns. */
export function distributionFigures(measured: readonly DistributionTimes[]): Figure[] {
  return measured.map(({ instructionSet, slowestOverUndecided }) => ({
    id: 'distributions',
    workload: instructionSet,
    description: 'slowest distribution of logits over undecided ones, 1 thread',
    value: slowestOverUndecided,
    unit: 'x',
    target: atMost(1.1),
  }));
}
