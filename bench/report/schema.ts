/** What a run of the benchmark stores. report.ts has the types that follow from it. */
import { z } from 'zod';
import { logitTypes } from '../workload/half';
import { distributionNames } from '../workload/workload';

const positive = z.number().positive();
const count = z.int().positive();
const id = z.string().min(1);

/** Median of the rounds, and the quarters around it. */
export const spread = z
  .strictObject({ median: z.number(), lower: z.number(), upper: z.number() })
  .refine(({ median, lower, upper }) => lower <= median && median <= upper, {
    message: 'the median has to lie between the quarters',
  });

export const machine = z.strictObject({
  cpu: z.string(),
  /** Numbers that tell the processor where its name does not, as in a virtual machine. */
  cpuNumbers: z.string().nullable(),
  cores: count,
  memoryBytes: positive,
  platform: z.string(),
  node: z.string(),
  /** Instruction sets of the package that this machine can run, best first. */
  instructionSets: z.array(z.string()),
});

const error = z.number().nonnegative().nullable();

/**
 * Largest relative errors against float64, measured on a part of the workload before timing; null
 * where there is no such result.
 */
export const errors = z.strictObject({ loss: error, gradient: error, statistics: error });

export const contenderResult = z.strictObject({
  id,
  name: z.string().min(1),
  /** For colours and for reading: who made it, and with what. */
  family: z.enum(['copy', 'ours', 'javascript', 'tfjs', 'onnxruntime', 'python']),
  version: z.string().nullable(),
  threads: count,
  /** Rows it was timed with: fewer than the workload's where it would take too long or too much. */
  rows: count,
  nanosecondsPerLogit: spread,
  /** Its time over that of another in the same round. */
  timesCopy: spread,
  timesOurs: spread,
  /** Peak memory beyond logits and labels, as a multiple of the logits; null where it is unknown. */
  extraMemory: z.number().nullable(),
  errors: errors.nullable(),
});

export const skipped = z.strictObject({ id, name: z.string(), reason: z.string() });

const distribution = z.enum(distributionNames);

const workload = {
  name: z.string().min(1),
  rows: count,
  classes: count,
  gamma: z.enum(['mixed', 'two', 'long-tailed']),
  /** Of the logits; absent where they lie evenly between -8.5 and -0.5. */
  distribution: distribution.optional(),
};

export const workloadResult = z.strictObject({
  ...workload,
  results: z.array(contenderResult),
  skipped: z.array(skipped),
});

/** Kernels of this package, one thread, on problems that differ in how their logits lie. */
export const distributionTimes = z.strictObject({
  instructionSet: z.string().min(1),
  times: z.array(z.strictObject({ distribution, nanosecondsPerLogit: spread })).min(1),
  /** The time of the slowest over that of undecided logits in the same round. */
  slowestOverUndecided: spread,
});

/** One figure with its target, as docs/performance.md lists them. */
export const figure = z.strictObject({
  id,
  workload: z.string(),
  description: z.string(),
  value: spread,
  unit: z.enum(['x', 'us', 'ns', 'bytes', 'relative error']),
  target: z.strictObject({ bound: z.enum(['at most', 'at least']), value: z.number() }).nullable(),
});

/** One curve of the scaling study. */
export const series = z.strictObject({
  name: z.string().min(1),
  points: z.array(z.strictObject({ x: z.number(), y: spread })),
});

export const study = z.strictObject({
  id,
  title: z.string(),
  x: z.string(),
  y: z.string(),
  logarithmicX: z.boolean(),
  logarithmicY: z.boolean(),
  series: z.array(series),
});

/**
 * A time, or null on an emulated device: there the program runs, and how long that takes says nothing
 * of a GPU.
 */
export const measurement = spread.nullable();

/** What is measured of this package on a GPU, and the copy that it is compared with. */
export const operation = z.enum([
  'copy',
  'forward',
  'forwardBackward',
  'inPlace',
  'forwardBackwardPlanes',
  'collectRows',
  'collectPlanes',
]);

export const operationResult = z.strictObject({
  operation,
  /** Read and written by one call, at the least. */
  bytes: count,
  microseconds: measurement,
  bytesPerSecond: measurement,
  /** Of the copy bandwidth of the same run. */
  shareOfCopy: measurement,
  errors,
});

/** Loss, gradient and statistics by other software, compared with `forwardBackward`. */
export const peerResult = z.strictObject({
  id,
  name: z.string().min(1),
  version: z.string().nullable(),
  microseconds: measurement,
  /** Its time over that of `forwardBackward` in the same run. */
  timesOurs: measurement,
  errors,
});

/** Time of the thread for one `forwardBackward`, until the call returns. */
export const hostTimes = z.strictObject({
  /** As a graph that is replayed. */
  captured: measurement,
  uncaptured: measurement,
});

export const gpuWorkloadResult = z.strictObject({
  ...workload,
  type: z.enum(logitTypes),
  /** Inputs of so many calls take turns, more than a cache holds. */
  buffers: count,
  operations: z.array(operationResult),
  hostMicroseconds: hostTimes,
  peers: z.array(peerResult),
  skipped: z.array(skipped),
});

/** What a copy of a few bytes takes, which is all that a call takes beside its work. */
export const launchOverhead = z.strictObject({
  /** Between the starts of two in a captured graph. */
  inGraphMicroseconds: measurement,
  /** Between the starts of two that are put into a stream one by one. */
  inStreamMicroseconds: measurement,
  /** Time of the thread for one. */
  hostMicroseconds: measurement,
});

/** `forwardBackward` of arrays of the host, on the GPU and on the CPU. */
export const hostArraysResult = z.strictObject({
  rows: count,
  classes: count,
  cudaMicroseconds: measurement,
  cpuMicroseconds: measurement,
  /** CPU over GPU: above 1 the GPU is faster. */
  ratio: measurement,
});

export const gpuSection = z.strictObject({
  /** The device is a model on the host: no time is stored. */
  emulated: z.boolean(),
  /** As `backends()` has it: name, CUDA, driver. */
  device: z.string(),
  deviceMemoryBytes: positive,
  copy: z.strictObject({ bytes: count, bytesPerSecond: measurement }),
  launch: launchOverhead,
  workloads: z.array(gpuWorkloadResult),
  hostArrays: z.array(hostArraysResult),
});

export const reportSchema = z.strictObject({
  schema: z.literal(1),
  package: z.string(),
  created: z.iso.datetime(),
  command: z.string(),
  machine,
  /** Copy bandwidth in the same run, bytes read plus bytes written a second. */
  copyBandwidth: z.array(z.strictObject({ threads: count, bytesPerSecond: spread })),
  workloads: z.array(workloadResult),
  distributions: z.array(distributionTimes),
  figures: z.array(figure),
  /** What lacks a contender or a workload, or failed. */
  notMeasured: z.array(z.string()),
  studies: z.array(study),
  /** Of a run on a GPU, which has nothing else but the machine. */
  gpu: gpuSection.optional(),
});

/** A report from its JSON; an error says which places are wrong, and how. */
export function parseReport(json: string): z.infer<typeof reportSchema> {
  const parsed = reportSchema.safeParse(readJson(json));
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues
    .slice(0, 10)
    .map(({ path, message }) => `  ${path.join('.') || '(the whole)'}: ${message}`);
  const more = parsed.error.issues.length - places.length;
  if (more > 0) places.push(`  and ${more} more`);
  throw new Error(`this is not a report of the benchmark:\n${places.join('\n')}`);
}

function readJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new Error(`this is not a report of the benchmark, not even JSON: ${String(error)}`, {
      cause: error,
    });
  }
}

/** What report.schema.json holds, for readers in other languages. */
export function jsonSchema(): string {
  const schema = z.toJSONSchema(reportSchema, { reused: 'ref' });
  return `${JSON.stringify({ title: 'Report of the equalized-focal-loss benchmark', ...schema }, null, 2)}\n`;
}
