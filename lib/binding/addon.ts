/**
 * The typed face of the native addon. Only lib/ code that has validated its arguments calls it; the
 * addon checks kinds and lengths once more, and nothing else.
 */

/** Slots of the Float64Array in which a call's outcome comes back (native/addon/outcome.h). */
export const outcomeSlot = {
  status: 0,
  loss: 1,
  positives: 2,
  ignored: 3,
  nonFinite: 4,
  badIndex: 5,
  badValue: 6,
} as const;
export const outcomeSlots = 7;

/** `efl_status` of native/core/problem.h. */
export const status = {
  ok: 0,
  badLabel: 1,
  badTarget: 2,
  outOfMemory: 3,
  cancelled: 4,
} as const;

/** `efl_reduction` of native/core/problem.h. */
export const reductionCode = { sum: 0, mean: 1, none: 2 } as const;

/** `EFL_NORMALIZER_POSITIVES`: divide by the number of positive rows. */
export const normalizerPositives = 0;

/** `Executor::kMaxOutstanding`: asynchronous calls that may be outstanding in an environment. */
export const maxOutstandingCalls = 1024;

type FocalArguments = [
  logits: Float32Array,
  labels: Int32Array,
  gradient: Float32Array | undefined,
  elements: Float32Array | undefined,
  gradOutput: Float32Array | undefined,
  normalizer: number,
  upstream: number,
  lossScale: number,
  collect: boolean,
  outcome: Float64Array,
];

type CollectArguments = [
  gradients: Float32Array,
  labels: Int32Array,
  scale: number,
  outcome: Float64Array,
];

export interface NativeCriterion {
  run(...call: FocalArguments): void;
  /** The call's number for `cancel`. Only where `hasRoom`. */
  submit(...call: [...FocalArguments, done: () => void]): number;
  runCollect(...call: CollectArguments): void;
  submitCollect(...call: [...CollectArguments, done: () => void]): number;
  waitForCalls(): void;
  readStatistics(positive: Float64Array, negative: Float64Array, ratio: Float64Array): number;
  readFactors(focusing: Float64Array, weighting: Float64Array): void;
  restore(positive: Float64Array, negative: Float64Array, ratio: Float64Array, steps: number): void;
  merge(positive: Float64Array, negative: Float64Array, steps: number): void;
  reset(): void;
  dispose(): void;
}

export interface NativeAddon {
  readonly version: string;
  readonly bindingVersion: number;
  readonly Criterion: new (
    numClasses: number,
    gamma: number,
    alpha: number,
    scaleFactor: number,
    equalized: boolean,
    firstClass: number,
    background: number | undefined,
    ignored: Int32Array,
    reduction: number,
    lossWeight: number,
  ) => NativeCriterion;
  /** False where this machine cannot run the named kernels. */
  configure(threads: number, cpuKernels: string | undefined): boolean;
  cpuKernels(): string;
  cpuThreads(): number;
  /** Whether one more asynchronous call may be submitted. */
  hasRoom(): boolean;
  cancel(call: number): boolean;
  dense(
    logits: Float32Array,
    targets: Float32Array,
    gradient: Float32Array | undefined,
    elements: Float32Array | undefined,
    gradOutput: Float32Array | undefined,
    gamma: number,
    alpha: number,
    reduction: number,
    upstream: number,
    outcome: Float64Array,
  ): void;
}

/** `kBindingVersion` of native/addon/addon.cc that this file describes. */
export const expectedBindingVersion = 1;
