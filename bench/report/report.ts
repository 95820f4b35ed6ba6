/** The parts of a stored report as types; schema.ts says what is in them. */
import type { z } from 'zod';
import type * as schema from './schema';

type Frozen<T> = T extends object ? { readonly [Key in keyof T]: Frozen<T[Key]> } : T;
type Stored<Schema extends z.ZodType> = Frozen<z.infer<Schema>>;

export type Spread = Stored<typeof schema.spread>;
export type Machine = Stored<typeof schema.machine>;
export type Errors = Stored<typeof schema.errors>;
export type ContenderResult = Stored<typeof schema.contenderResult>;
export type Skipped = Stored<typeof schema.skipped>;
export type WorkloadResult = Stored<typeof schema.workloadResult>;
export type DistributionTimes = Stored<typeof schema.distributionTimes>;
export type Figure = Stored<typeof schema.figure>;
export type Series = Stored<typeof schema.series>;
export type Study = Stored<typeof schema.study>;
export type Report = Stored<typeof schema.reportSchema>;

export type Measurement = Stored<typeof schema.measurement>;
export type Operation = Stored<typeof schema.operation>;
export type OperationResult = Stored<typeof schema.operationResult>;
export type PeerResult = Stored<typeof schema.peerResult>;
export type HostTimes = Stored<typeof schema.hostTimes>;
export type GpuWorkloadResult = Stored<typeof schema.gpuWorkloadResult>;
export type LaunchOverhead = Stored<typeof schema.launchOverhead>;
export type HostArraysResult = Stored<typeof schema.hostArraysResult>;
export type GpuSection = Stored<typeof schema.gpuSection>;
