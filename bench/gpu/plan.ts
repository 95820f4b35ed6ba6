import { logitTypes, type LogitType } from '../workload/half';
import { mixed, type Workload } from '../workload/workload';

export interface Pace {
  readonly rounds: number;
  readonly emulated: boolean;
  /** Inputs that take turns; by default more than a cache holds. */
  readonly buffers?: number;
}

export interface Plan {
  readonly pace: Pace;
  readonly workloads: readonly Workload[];
  readonly types: readonly LogitType[];
  /** Bytes of the copy that sets the pace. */
  readonly copyBytes: number;
  /** Rows of arrays of the host with 80 classes. */
  readonly hostRows: readonly number[];
}

/** Dense heads at scale with the classes of COCO and LVIS, a small batch, and many classes. */
const workloads: readonly Workload[] = [
  mixed(1_000_000, 80),
  mixed(100_000, 1203),
  mixed(44_600, 1203),
  mixed(4096, 80),
  mixed(10_000, 10_000),
  { rows: 1_000_000, classes: 80, gamma: 'two' },
  { rows: 100_000, classes: 1203, gamma: 'two' },
];

const copyBytes = 256 * 2 ** 20;

export const fullPlan: Plan = {
  pace: { rounds: 50, emulated: false },
  workloads,
  types: logitTypes,
  copyBytes,
  hostRows: [10, 100, 1000, 10_000, 100_000, 1_000_000],
};

export const quickPlan: Plan = {
  pace: { rounds: 10, emulated: false },
  workloads: [mixed(100_000, 1203), mixed(4096, 80)],
  types: ['float32', 'bfloat16'],
  copyBytes,
  hostRows: [100, 10_000, 200_000],
};

/** Enough to run every line. */
export const emulatedPlan: Plan = {
  pace: { rounds: 2, emulated: true, buffers: 2 },
  workloads: [mixed(24, 5), { rows: 10, classes: 19, gamma: 'two' }],
  types: logitTypes,
  copyBytes: 4096,
  hostRows: [3, 10],
};
