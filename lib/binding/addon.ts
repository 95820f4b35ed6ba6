/**
 * The typed face of the native addon. lib checks what only JavaScript can get wrong: types, names,
 * memory. Values are checked by native/core, whose refusals come as errors with `argument`, `expected`
 * and `received` (native-failure.ts). Kinds and lengths of arrays are looked at once more.
 */

/** Numbers by name, as the addon has them. */
type Codes<Name extends string> = Readonly<Record<Name, number>>;

/** The numbers by which the addon knows things (native/node/codes.cc): lib has none of its own. */
export interface AddonCodes {
  /** Places of the call block; those of the report, its beginning, are also those of an outcome. */
  readonly slot: Codes<
    | ('status' | 'loss' | 'positives' | 'ignored' | 'nonFinite')
    | ('badLevel' | 'badIndex' | 'badValue')
    | ('criterion' | 'normalizer' | 'countPositives' | 'gradOutput')
    | ('collect' | 'equalize' | 'gradientsGiven' | 'gamma' | 'alpha' | 'reduction')
  > &
    // And of every other number of a call, by the name of its option.
    Readonly<Record<string, number>>;
  /** Defaults of the numbers of a call. */
  readonly defaults: Readonly<Record<string, number>>;
  readonly reportSlots: number;
  /** Bytes of a report on a device, which begins with the loss in float32; where its slots are. */
  readonly deviceReport: Codes<'bytes' | 'report'>;
  readonly status: Codes<
    | ('ok' | 'badLabel' | 'badTarget' | 'badQuality' | 'badNormalizer')
    | ('outOfMemory' | 'cancelled' | 'deviceError' | 'notComputed' | 'badWeight')
  >;
  /** What stands in the slot of the normalizer where `countPositives` is set. */
  readonly normalizer: Codes<'positives' | 'weights'>;
  readonly background: Codes<'first' | 'last' | 'none'>;
  readonly reduction: Codes<'sum' | 'mean' | 'none'>;
  /** What becomes of the statistics of a call. */
  readonly collect: Codes<'none' | 'now' | 'defer'>;
  readonly dtype: Codes<'float32' | 'float16' | 'bfloat16'>;
  readonly layout: Codes<'rows' | 'NHWC' | 'NCHW'>;
  readonly channelOrder: Codes<'anchor-major' | 'class-major'>;
  /** Places of a geometry: a format, and from `levels` on images and positions of each level. */
  readonly geometry: Codes<'dtype' | 'layout' | 'channelOrder' | 'anchors' | 'levels'>;
  /** Asynchronous calls that may be outstanding in an environment. */
  readonly maxOutstandingCalls: number;
}

/** What native/core/spec.cc says of an option; two of one name are one number or one for each class. */
export interface LossOption {
  readonly name: string;
  readonly kind: 'number' | 'flag' | 'perClass';
  /** What a value may be, for error messages. */
  readonly expected: string;
  /** The default; none of what is required, has one for each class, or may be left out. */
  readonly fallback?: number | boolean;
  readonly required: boolean;
}

/** What a criterion is, for lib. */
export interface LossDefinition {
  /** What an element's loss is: `'focal'`, `'qualityFocal'`, `'crossEntropy'`, `'varifocal'` .. */
  readonly loss: string;
  /** Whether the class of a row with a label has a quality. */
  readonly takesQuality: boolean;
  /** How the statistics change a class: `'fixed'`, `'equalizedFocal'`, `'equalizationV2'`. */
  readonly rule: string;
  /** Logits in a row. */
  readonly columns: number;
}

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

/** The arrays of a call; a list for a list. `Numbers` are of the type of the logits. */
type CallArguments<Numbers, Floats, Labels, Bytes, Mask> = [
  /** Or gradients, where the block says that they are given. */
  logits: Numbers,
  /** Either labels or targets. */
  labels: Labels | undefined,
  gradient: Numbers | undefined,
  elements: Floats | undefined,
  gradOutput: Floats | undefined,
  /** One value for each label. */
  quality: Floats | undefined,
  targets: Floats | undefined,
  /** Without one the logits are one level of float32 rows. */
  geometry: Int32Array | undefined,
  /** One value for each label. */
  rowWeight: Floats | undefined,
  /** One for each logit. */
  mask: Bytes | undefined,
  /** One for each class. */
  classMask: Mask | undefined,
];

type HostArguments = CallArguments<
  PerLevel<Values>,
  PerLevel<Float32Array>,
  PerLevel<Int32Array>,
  PerLevel<Uint8Array>,
  Uint8Array
>;

/** Where the report goes when the call has been computed, and what is called then. */
type LaterArguments = [outcome: Float64Array, done: () => void];

type DeviceList = readonly NativeMemory[];

/** Its results are there after `stream` has been waited for. */
type DeviceArguments = [
  ...CallArguments<DeviceList, DeviceList, DeviceList, DeviceList, NativeMemory>,
  device: number,
  report: NativeMemory,
  stream: NativeStream | undefined,
  /** One float32, in place of the number in the block. */
  normalizer: NativeMemory | undefined,
  upstream: NativeMemory | undefined,
];

/**
 * The options of a criterion as the addon takes them: one number or flag, or a Float64Array with one
 * number for each class.
 */
export interface NativeOptions {
  readonly [name: string]: number | boolean | Float64Array | Int32Array | undefined;
  readonly background: number;
  readonly reduction: number;
  readonly ignoreIndex: Int32Array;
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

/** What the block says of a call is read, and checked, when the call is made. */
export interface NativeCriterion {
  /** What a synchronous call knows it by; none after `dispose`. */
  readonly number: number;
  readonly definition: LossDefinition;
  /** As `run`. Returns the call's number for `cancel`. Only where `hasRoom`. */
  submit(...call: [...HostArguments, ...LaterArguments]): number;
  /** Like all that concerns a device it throws errors with a number `cudaError`. */
  runOnDevice(...call: DeviceArguments): void;
  /** Throws for a number of the block that no call may have. */
  checkNumbers(): void;
  waitForCalls(): void;
  readStatistics(positive: Float64Array, negative: Float64Array, ratio: Float64Array): number;
  /** gamma_j and gamma_j / gamma_b; or, of equalizationV2, the factors on negatives and positives. */
  readFactors(first: Float64Array, second: Float64Array): void;
  /**
   * What the next call is computed with, one value for each column. Returns the logit below which
   * negatives in rows with a class weigh nothing; undefined where they weigh as in other rows.
   */
  readParameters(
    gamma: Float32Array,
    positiveWeight: Float32Array,
    negativeWeight: Float32Array,
    foregroundWeight: Float32Array,
  ): number | undefined;
  restore(positive: Float64Array, negative: Float64Array, ratio: Float64Array, steps: number): void;
  merge(positive: Float64Array, negative: Float64Array, steps: number): void;
  /** Replaces the ratios alone, for the next call. */
  useRatios(ratio: Float64Array): void;
  /** Takes the sums of a call that somebody else has computed. */
  collect(positive: Float64Array, negative: Float64Array, defers: boolean): void;
  /** Without a device where the state is, in the default stream there. */
  commit(device: number | undefined, stream: NativeStream | undefined): void;
  pendingCalls(): number;
  reset(): void;
  dispose(): void;
}

/** Synchronous calls name the criterion by its number: that is quicker than a method of it. */
export interface NativeCriterionClass {
  /** `family`: the name of a loss. */
  new (family: string, options: NativeOptions): NativeCriterion;
  run(...call: RowArguments | HostArguments): void;
}

export interface NativeAddon {
  readonly version: string;
  readonly codes: AddonCodes;
  /** The report of a synchronous call, and the numbers that go into a call. The addon has its place. */
  readonly block: Float64Array;
  readonly Criterion: NativeCriterionClass;
  /** The options that a family of losses has. */
  lossOptions(family: string): LossOption[];
  /** Throws for a number that an option may not have. */
  checkOption(family: string, name: string, value: number): void;
  /** Throws where `gradOutput` in the block is none. */
  checkUpstream(): void;
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
  /** Opens the library for GPUs: undefined, why it was not taken, or the version it is of. */
  openDevices(path: string): string | { readonly version: string } | undefined;
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
  /** With `gamma`, `alpha`, `reduction` and `gradOutput` of the block. */
  dense(
    logits: Float32Array,
    targets: Float32Array,
    gradient: Float32Array | undefined,
    elements: Float32Array | undefined,
    gradOutput: Float32Array | undefined,
  ): void;
}
