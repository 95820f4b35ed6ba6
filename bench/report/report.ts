/** What a run of the benchmark stores: bench/report/schema.ts holds the same as a schema. */

import type { Distribution } from '../workload';

/** Median of the rounds, and the quarters around it. */
export interface Spread {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
}

export interface Machine {
  readonly cpu: string;
  /** Numbers that tell the processor where its name does not, as in a virtual machine. */
  readonly cpuNumbers: string | null;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly node: string;
  /** Instruction sets of the package that this machine can run, best first. */
  readonly instructionSets: readonly string[];
}

/** Largest relative error against float64, measured on a part of the workload before timing. */
export interface Errors {
  readonly loss: number;
  readonly gradient: number;
  readonly statistics: number;
}

export interface ContenderResult {
  readonly id: string;
  readonly name: string;
  /** For colours and for reading: who made it, and with what. */
  readonly family: 'copy' | 'ours' | 'javascript' | 'tfjs' | 'onnxruntime' | 'python';
  readonly version: string | null;
  readonly threads: number;
  /** Rows it was timed with: fewer than the workload's where it would take too long or too much. */
  readonly rows: number;
  readonly nanosecondsPerLogit: Spread;
  /** Its time over that of another in the same round. */
  readonly timesCopy: Spread;
  readonly timesOurs: Spread;
  /** Peak memory beyond logits and labels, as a multiple of the logits; null where it is unknown. */
  readonly extraMemory: number | null;
  readonly errors: Errors | null;
}

export interface Skipped {
  readonly id: string;
  readonly name: string;
  readonly reason: string;
}

export interface WorkloadResult {
  readonly name: string;
  readonly rows: number;
  readonly classes: number;
  readonly gamma: 'mixed' | 'two' | 'long-tailed';
  /** Of the logits; absent where they lie evenly between -8.5 and -0.5. */
  readonly distribution?: Distribution | undefined;
  readonly results: readonly ContenderResult[];
  readonly skipped: readonly Skipped[];
}

/** Kernels of this package, one thread, on problems that differ in how their logits lie. */
export interface DistributionTimes {
  readonly instructionSet: string;
  readonly times: readonly {
    readonly distribution: Distribution;
    readonly nanosecondsPerLogit: Spread;
  }[];
  /** The time of the slowest over that of undecided logits in the same round. */
  readonly slowestOverUndecided: Spread;
}

/** One figure with its target, as docs/performance.md lists them. */
export interface Figure {
  readonly id: string;
  readonly workload: string;
  readonly description: string;
  readonly value: Spread;
  readonly unit: 'x' | 'us' | 'ns' | 'bytes' | 'relative error';
  readonly target: { readonly bound: 'at most' | 'at least'; readonly value: number } | null;
}

/** One curve of the scaling study. */
export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: Spread }[];
}

export interface Study {
  readonly id: string;
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly logarithmicX: boolean;
  readonly logarithmicY: boolean;
  readonly series: readonly Series[];
}

export interface Report {
  readonly schema: 1;
  readonly package: string;
  readonly created: string;
  readonly command: string;
  readonly machine: Machine;
  /** Copy bandwidth in the same run, bytes read plus bytes written a second. */
  readonly copyBandwidth: readonly { readonly threads: number; readonly bytesPerSecond: Spread }[];
  readonly workloads: readonly WorkloadResult[];
  readonly distributions: readonly DistributionTimes[];
  readonly figures: readonly Figure[];
  /** Figures with a target that lack a contender or a workload. */
  readonly notMeasured: readonly string[];
  readonly studies: readonly Study[];
}
