import type {
  ContenderResult,
  DistributionTimes,
  Figure,
  Report,
  Spread,
  Study,
  WorkloadResult,
} from '../../bench/report/report';

export function around(median: number, share = 0.02): Spread {
  return { median, lower: median * (1 - share), upper: median * (1 + share) };
}

interface Timed {
  readonly id: string;
  readonly name: string;
  readonly family: ContenderResult['family'];
  readonly nanoseconds: number;
  readonly threads?: number;
  readonly rows?: number;
  readonly noise?: number;
}

/** As if a copy took 0.3 ns a logit and the package 0.45. */
export function timed(what: Timed): ContenderResult {
  const { id, name, family, nanoseconds, threads = 1, noise = 0.02 } = what;
  const solves = family !== 'copy';
  return {
    ...{ id, name, family, threads },
    version: solves ? '1.2.3' : null,
    rows: what.rows ?? 2000,
    nanosecondsPerLogit: around(nanoseconds, noise),
    timesCopy: around(nanoseconds / 0.3, noise),
    timesOurs: around(nanoseconds / 0.45, noise),
    extraMemory: solves ? 1.02 : 1,
    errors: solves ? { loss: 1e-8, gradient: 9.3e-7, statistics: 4e-8 } : null,
  };
}

export const ours = timed({
  id: 'ours',
  name: 'this package, AVX-512',
  family: 'ours',
  nanoseconds: 0.45,
  threads: 2,
});

export const workload: WorkloadResult = {
  name: '2000 x 1203',
  rows: 2000,
  classes: 1203,
  gamma: 'mixed',
  results: [
    timed({ id: 'copy', name: 'copy of the logits', family: 'copy', nanoseconds: 0.35 }),
    timed({ id: 'copy-2', name: 'copy', family: 'copy', nanoseconds: 0.3, threads: 2 }),
    ours,
    timed({ id: 'ours-1', name: 'this package, AVX2', family: 'ours', nanoseconds: 1.2 }),
    timed({
      id: 'tfjs',
      name: 'TensorFlow.js, wasm | SIMD',
      family: 'tfjs',
      nanoseconds: 310,
      rows: 200,
    }),
  ],
  skipped: [{ id: 'numpy', name: 'NumPy', reason: 'no module named numpy' }],
};

const missed: Figure = {
  id: 'two-threads',
  workload: '2000 x 1203',
  description: 'two threads over a copy',
  value: around(3.1),
  unit: 'x',
  target: { bound: 'at most', value: 2.5 },
};

/** The trained ones take five times as long. */
const distributed: DistributionTimes = {
  instructionSet: 'avx2',
  times: [
    { distribution: 'undecided', nanosecondsPerLogit: around(1.2) },
    { distribution: 'prior', nanosecondsPerLogit: around(1.3) },
    { distribution: 'trained', nanosecondsPerLogit: around(6.1) },
    { distribution: 'confident', nanosecondsPerLogit: around(1.4) },
  ],
  slowestOverUndecided: around(5.08),
};

const study: Study = {
  id: 'rows',
  title: 'Time against rows',
  x: 'rows',
  y: 'nanoseconds a logit',
  logarithmicX: true,
  logarithmicY: true,
  series: [
    { name: '1 thread', points: [100, 1000, 10_000].map((x) => ({ x, y: around(0.9) })) },
    { name: '2 threads', points: [100, 1000, 10_000].map((x) => ({ x, y: around(0.5) })) },
  ],
};

export const report: Report = {
  schema: 1,
  package: 'equalized-focal-loss 0.1.0',
  created: '2026-01-02T03:04:05.000Z',
  command: 'npm run bench',
  machine: {
    cpu: 'A processor',
    cpuNumbers: 'family 25, model 17, stepping 1',
    cores: 2,
    memoryBytes: 24 * 2 ** 30,
    platform: 'linux-x64',
    node: '20.20.2',
    instructionSets: ['avx512', 'avx2', 'baseline'],
  },
  copyBandwidth: [{ threads: 2, bytesPerSecond: around(28e9) }],
  workloads: [workload],
  distributions: [distributed],
  figures: [
    missed,
    { ...missed, id: 'one-thread', description: 'one thread over a copy', value: around(2) },
    { ...missed, id: 'overhead', description: 'a call', unit: 'us', target: null },
  ],
  notMeasured: ['TensorFlow.js wasm over this package'],
  studies: [study],
};

/** The report with other results of the package. */
export function withOurs(...results: readonly ContenderResult[]): Report {
  return { ...report, workloads: [{ ...workload, results }] };
}
