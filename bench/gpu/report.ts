/** What a run of the GPU benchmark stores. */
import type { Machine, Skipped, Spread } from '../report/report';
import type { Workload } from '../workload';

export type GpuType = 'float32' | 'float16' | 'bfloat16';

/** What is measured of this package, and the copy that it is compared with. */
export type Operation =
  | 'copy'
  | 'forward'
  | 'forwardBackward'
  | 'inPlace'
  | 'forwardBackwardPlanes'
  | 'collectRows'
  | 'collectPlanes';

/**
 * A time, or null on an emulated device: there the program runs, and how long that takes says nothing
 * of a GPU.
 */
export type Measurement = Spread | null;

/** Largest relative errors against float64; null where the operation has no such result. */
export interface GpuErrors {
  readonly loss: number | null;
  readonly gradient: number | null;
  readonly statistics: number | null;
}

export interface OperationResult {
  readonly operation: Operation;
  /** Read and written by one call, at the least. */
  readonly bytes: number;
  readonly microseconds: Measurement;
  readonly bytesPerSecond: Measurement;
  /** Of the copy bandwidth of the same run. */
  readonly shareOfCopy: Measurement;
  readonly errors: GpuErrors;
}

/** Loss, gradient and statistics by other software, compared with `forwardBackward`. */
export interface PeerResult {
  readonly id: string;
  readonly name: string;
  readonly version: string | null;
  readonly microseconds: Measurement;
  /** Its time over that of `forwardBackward` in the same run. */
  readonly timesOurs: Measurement;
  readonly errors: GpuErrors;
}

/** Time of this thread for one `forwardBackward`, until the call returns. */
export interface HostTimes {
  /** As a graph that is replayed. */
  readonly captured: Measurement;
  readonly uncaptured: Measurement;
}

export interface GpuWorkloadResult extends Workload {
  readonly type: GpuType;
  /** Inputs of so many calls take turns, more than a cache holds. */
  readonly buffers: number;
  readonly operations: readonly OperationResult[];
  readonly hostMicroseconds: HostTimes;
  readonly peers: readonly PeerResult[];
  readonly skipped: readonly Skipped[];
}

/** What a copy of a few bytes takes, which is all that a call takes beside its work. */
export interface LaunchOverhead {
  /** Between the starts of two in a captured graph. */
  readonly inGraphMicroseconds: Measurement;
  /** Between the starts of two that are put into a stream one by one. */
  readonly inStreamMicroseconds: Measurement;
  /** Time of this thread for one. */
  readonly hostMicroseconds: Measurement;
}

/** `forwardBackward` of arrays of the host, on the GPU and on the CPU. */
export interface HostArraysResult {
  readonly rows: number;
  readonly classes: number;
  readonly cudaMicroseconds: Measurement;
  readonly cpuMicroseconds: Measurement;
  /** CPU over GPU: above 1 the GPU is faster. */
  readonly ratio: Measurement;
}

export interface GpuReport {
  readonly schema: 1;
  readonly package: string;
  readonly created: string;
  readonly command: string;
  /** The device is a model on the host: no time is stored. */
  readonly emulated: boolean;
  readonly machine: Machine;
  /** As `backends()` has it: name, CUDA, driver. */
  readonly device: string;
  readonly deviceMemoryBytes: number;
  readonly copy: { readonly bytes: number; readonly bytesPerSecond: Measurement };
  readonly launch: LaunchOverhead;
  readonly workloads: readonly GpuWorkloadResult[];
  /** Workloads that could not be measured. */
  readonly failures: readonly { readonly workload: string; readonly reason: string }[];
  readonly hostArrays: readonly HostArraysResult[];
}
