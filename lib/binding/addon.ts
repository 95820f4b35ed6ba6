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
  badLevel: 5,
  badIndex: 6,
  badValue: 7,
} as const;
export const outcomeSlots = 8;

/**
 * Slots of the numbers that go into a call (native/addon/call_numbers.h): the addon reads them when
 * the call is made. The slots before them take the outcome of a synchronous call.
 */
export const callSlot = {
  normalizer: 8,
  upstream: 9,
  lossScale: 10,
  collect: 11,
  scale: 12,
  gamma: 13,
  alpha: 14,
  reduction: 15,
  criterion: 16,
} as const;

/** `efl_status` of native/include/efl_types.h. */
export const status = {
  ok: 0,
  badLabel: 1,
  badTarget: 2,
  outOfMemory: 3,
  cancelled: 4,
  badQuality: 5,
  badNormalizer: 6,
  deviceError: 7,
  notComputed: 10,
} as const;

/** `efl_reduction` of native/include/efl_types.h. */
export const reductionCode = { sum: 0, mean: 1, none: 2 } as const;

/** `efl_loss` of native/core/problem.h: what the loss of an element is. */
export const lossCode = { focal: 0, qualityFocal: 1, crossEntropy: 2 } as const;

/** `Rule` of native/core/class_rule.h: how the statistics change the parameters of a class. */
export const ruleCode = { fixed: 0, equalizedFocal: 1, equalizationV2: 2 } as const;

/** `efl_dtype` of native/include/efl_types.h, as the two after it. */
export const dtypeCode = { float32: 0, float16: 1, bfloat16: 2 } as const;

/** `efl_layout`: rows are NHWC with one image and one anchor. */
export const layoutCode = { rows: 0, NHWC: 0, NCHW: 1 } as const;

/** `efl_channel_order`. */
export const channelOrderCode = { 'anchor-major': 0, 'class-major': 1 } as const;

/** `EFL_NORMALIZER_POSITIVES`: divide by the number of positive rows. */
export const normalizerPositives = 0;

/** `Executor::kMaxOutstanding`: asynchronous calls that may be outstanding in an environment. */
export const maxOutstandingCalls = 1024;

/** One thing for one tensor of logits, or a list with one for each level. */
export type PerLevel<T> = T | readonly T[];

/** Values as the addon takes them: 16-bit types as their bits. */
export type Values = Float32Array | Uint16Array;

/** Of float32 rows with labels and nothing else: one tensor, without a list. */
type RowArguments = [
  logits: PerLevel<Values>,
  labels: PerLevel<Int32Array> | undefined,
  gradient?: PerLevel<Values>,
];

/** Gradient, elements, gradOutput and targets are as long as the logits; a list for a list. */
type FocalArguments = [
  logits: PerLevel<Values>,
  /** Either labels or targets. */
  labels: PerLevel<Int32Array> | undefined,
  /** Of the type of the logits. */
  gradient: PerLevel<Values> | undefined,
  elements: PerLevel<Float32Array> | undefined,
  gradOutput: PerLevel<Float32Array> | undefined,
  /** One value for each label. */
  quality: PerLevel<Float32Array> | undefined,
  targets: PerLevel<Float32Array> | undefined,
  geometry: Int32Array | undefined,
];

type CollectArguments = [
  gradients: PerLevel<Values>,
  labels: PerLevel<Int32Array>,
  geometry: Int32Array | undefined,
];

/** Where the outcome goes when the call has been computed, and what is called then. */
type LaterArguments = [outcome: Float64Array, done: () => void];

/**
 * Places of the head of a geometry, which tells how the logits lie in memory; images and positions
 * (H x W) of each level follow. Without a geometry they are one level of float32 rows.
 */
export const geometrySlot = { dtype: 0, layout: 1, channelOrder: 2, anchors: 3 } as const;
export const geometryHead = 4;

/** What a criterion computes. Arrays have one value for each class. */
export interface NativeSettings {
  readonly numClasses: number;
  /** One more column, the last, whose positives are the background rows; out of the statistics. */
  readonly objectness: boolean;
  readonly loss: number;
  readonly rule: number;
  readonly gamma: number;
  /** Of the rule `equalizedFocal`. */
  readonly scaleFactor: number;
  /** Of the rule `equalizationV2`, as the two after it. */
  readonly mapSteepness: number;
  readonly mapMidpoint: number;
  readonly positiveGain: number;
  /** Weights before the statistics change them. */
  readonly positiveWeight: Float64Array;
  readonly negativeWeight: Float64Array;
  /** In place of `negativeWeight` in rows that have a class. */
  readonly foregroundWeight: Float64Array | undefined;
  /** In such rows negatives with a lower logit weigh nothing. */
  readonly foregroundThreshold: number;
  readonly firstClass: number;
  readonly background: number | undefined;
  readonly ignored: Int32Array;
  readonly reduction: number;
  readonly lossWeight: number;
  /** Where arrays on the host are computed: the number of a device, or -1 for the CPU. */
  readonly device: number;
}

/** What the opened library for GPUs says of itself. */
export interface DeviceSummary {
  /** `cuda`, or `emulated`. */
  readonly name: string;
  /** Compute capabilities it has code for, `'75 80 90'`. */
  readonly architectures: string;
  /** Versions as CUDA numbers them: 13000 is 13.0. */
  readonly driver: number;
  readonly runtime: number;
  readonly count: number;
  /** 0, or the `cudaError_t` with which counting the devices failed. */
  readonly error: number;
}

export interface DeviceDescription {
  readonly name: string;
  readonly major: number;
  readonly minor: number;
  readonly multiprocessors: number;
}

/**
 * Memory of a device; a list has one for each level. It knows how many bytes it has, and what would
 * go beyond them is refused.
 */
export interface NativeMemory {
  readonly pointer: bigint;
  /** As many bytes as the memory has. */
  upload(values: ArrayBufferView, stream: NativeStream | undefined): void;
  /** Of the same device. */
  copyFrom(source: NativeMemory, bytes: number, stream: NativeStream | undefined): void;
  /** Waits for what is under way with the memory. */
  download(values: ArrayBufferView): void;
  submitDownload(values: ArrayBufferView, outcome: Float64Array, done: () => void): number;
  dispose(): void;
}

export interface NativeStream {
  readonly handle: bigint;
  synchronize(): void;
  wait(event: NativeEvent): void;
  dispose(): void;
}

export interface NativeEvent {
  record(stream: NativeStream | undefined): void;
  synchronize(): void;
  isDone(): boolean;
  /** Milliseconds. */
  elapsedSince(start: NativeEvent): number;
  dispose(): void;
}

export interface NativeGraph {
  end(): void;
  launch(stream: NativeStream | undefined): void;
  dispose(): void;
}

type DeviceList = readonly NativeMemory[] | undefined;

/** A call on device tensors; its results are there after `stream` has been waited for. */
type DeviceArguments = [
  device: number,
  logits: readonly NativeMemory[],
  labels: DeviceList,
  gradient: DeviceList,
  elements: DeviceList,
  gradOutput: DeviceList,
  quality: DeviceList,
  targets: DeviceList,
  geometry: Int32Array,
  normalizer: number | NativeMemory,
  upstream: number | NativeMemory,
  lossScale: number,
  collect: boolean,
  report: NativeMemory,
  stream: NativeStream | undefined,
  /** The logits are gradients, of which only the statistics are wanted. */
  gradientsGiven: boolean,
];

/** Bytes of an `efl_report`, and where its parts are. */
export const reportBytes = 56;
export const reportOffset = {
  loss: 0,
  status: 4,
  positives: 8,
  ignored: 16,
  nonFinite: 24,
  badLevel: 32,
  badIndex: 40,
  badValue: 48,
} as const;

export interface NativeCriterion {
  /** What a synchronous call knows it by; none after `dispose`. */
  readonly number: number;
  /** As `run`. Returns the call's number for `cancel`. Only where `hasRoom`. */
  submit(...call: [...FocalArguments, ...LaterArguments]): number;
  submitCollect(...call: [...CollectArguments, ...LaterArguments]): number;
  /** Like all that concerns a device it throws errors with a number `cudaError`. */
  runOnDevice(...call: DeviceArguments): void;
  waitForCalls(): void;
  readStatistics(positive: Float64Array, negative: Float64Array, ratio: Float64Array): number;
  /** gamma_j and gamma_j / gamma_b; or, of equalizationV2, the factors on negatives and positives. */
  readFactors(first: Float64Array, second: Float64Array): void;
  restore(positive: Float64Array, negative: Float64Array, ratio: Float64Array, steps: number): void;
  merge(positive: Float64Array, negative: Float64Array, steps: number): void;
  reset(): void;
  dispose(): void;
}

/** Synchronous calls name the criterion by its number: that is quicker than a method of it. */
export interface NativeCriterionClass {
  new (settings: NativeSettings): NativeCriterion;
  /** With the numbers `criterion`, `normalizer`, `upstream`, `lossScale` and `collect`. */
  run(...call: RowArguments | FocalArguments): void;
  /** With the numbers `criterion` and `scale`. */
  runCollect(...call: RowArguments | CollectArguments): void;
}

export interface NativeAddon {
  readonly version: string;
  readonly bindingVersion: number;
  /** The numbers of a call and its outcome, see {@link callSlot}. The addon writes where this is. */
  readonly numbers: Float64Array;
  readonly Criterion: NativeCriterionClass;
  /** False where this machine cannot run the named kernels. */
  configure(threads: number, cpuKernels: string | undefined, queueBytes?: number): boolean;
  /** Those this process may run on, and no more than the quota of its control groups pays for. */
  availableProcessors(): number;
  cpuKernels(): string;
  cpuThreads(): number;
  /** Whether one more asynchronous call may be submitted. Throws with `code: 'EFL_NO_THREAD'`. */
  hasRoom(): boolean;
  /** Room for a call that holds so many bytes: false beyond the limit. */
  reserve(bytes: number): boolean;
  release(bytes: number): void;
  /** What the asynchronous calls of this process hold, and how much that may be. */
  heldBytes(): [held: number, limit: number];
  /** Detaches the buffer and frees its memory. Nothing may be at work on it. */
  freeBuffer(buffer: ArrayBuffer): void;
  cancel(call: number): boolean;
  /** Opens the library for GPUs: undefined, why it was not taken, or the number of its interface. */
  openDevices(path: string): string | number | undefined;
  deviceSummary(): DeviceSummary;
  /** Or the number of a `cudaError_t`. */
  describeDevice(device: number): DeviceDescription | number;
  /** Runs a small kernel: 0, or a `cudaError_t`. */
  selfTest(device: number): number;
  deviceError(error: number): [name: string, text: string];
  /** New memory, or, with a pointer, that of somebody else. */
  readonly DeviceMemory: new (
    device: number,
    bytes: number,
    streamOrPointer?: NativeStream | bigint,
    owner?: unknown,
  ) => NativeMemory;
  readonly DeviceStream: new (device: number, handle?: bigint) => NativeStream;
  readonly DeviceEvent: new (device: number) => NativeEvent;
  /** Begins to capture the stream. */
  readonly DeviceGraph: new (stream: NativeStream) => NativeGraph;
  deviceMemory(device: number): [total: number, free: number, reserved: number, inUse: number];
  /** The device whose memory this is, or -1. */
  deviceOf(pointer: bigint): number;
  /** With the numbers `gamma`, `alpha`, `reduction` and `upstream`. */
  dense(
    logits: Float32Array,
    targets: Float32Array,
    gradient: Float32Array | undefined,
    elements: Float32Array | undefined,
    gradOutput: Float32Array | undefined,
  ): void;
}

/** `kBindingVersion` of native/addon/addon.cc that this file describes. */
export const expectedBindingVersion = 7;
