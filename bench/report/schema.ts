/** The stored report as a schema: what report.ts says at compile time, checked at run time. */
import { z } from 'zod';
import { distributionNames } from '../workload';
import type { Report } from './report';

const positive = z.number().positive();
const count = z.int().positive();

const spread = z
  .strictObject({ median: z.number(), lower: z.number(), upper: z.number() })
  .refine(({ median, lower, upper }) => lower <= median && median <= upper, {
    message: 'the median has to lie between the quarters',
  });

const machine = z.strictObject({
  cpu: z.string(),
  cpuNumbers: z.string().nullable(),
  cores: count,
  memoryBytes: positive,
  platform: z.string(),
  node: z.string(),
  instructionSets: z.array(z.string()),
});

const errors = z.strictObject({
  loss: z.number().nonnegative(),
  gradient: z.number().nonnegative(),
  statistics: z.number().nonnegative(),
});

const contenderResult = z.strictObject({
  id: z.string().min(1),
  name: z.string().min(1),
  family: z.enum(['copy', 'ours', 'javascript', 'tfjs', 'onnxruntime', 'python']),
  version: z.string().nullable(),
  threads: count,
  rows: count,
  nanosecondsPerLogit: spread,
  timesCopy: spread,
  timesOurs: spread,
  extraMemory: z.number().nullable(),
  errors: errors.nullable(),
});

const skipped = z.strictObject({ id: z.string().min(1), name: z.string(), reason: z.string() });

const distribution = z.enum(distributionNames);

const workloadResult = z.strictObject({
  name: z.string().min(1),
  rows: count,
  classes: count,
  gamma: z.enum(['mixed', 'two', 'long-tailed']),
  distribution: distribution.optional(),
  results: z.array(contenderResult),
  skipped: z.array(skipped),
});

const distributionTimes = z.strictObject({
  instructionSet: z.string().min(1),
  times: z.array(z.strictObject({ distribution, nanosecondsPerLogit: spread })).min(1),
  slowestOverUndecided: spread,
});

const figure = z.strictObject({
  id: z.string().min(1),
  workload: z.string(),
  description: z.string(),
  value: spread,
  unit: z.enum(['x', 'us', 'ns', 'bytes', 'relative error']),
  target: z.strictObject({ bound: z.enum(['at most', 'at least']), value: z.number() }).nullable(),
});

const series = z.strictObject({
  name: z.string().min(1),
  points: z.array(z.strictObject({ x: z.number(), y: spread })),
});

const study = z.strictObject({
  id: z.string().min(1),
  title: z.string(),
  x: z.string(),
  y: z.string(),
  logarithmicX: z.boolean(),
  logarithmicY: z.boolean(),
  series: z.array(series),
});

export const reportSchema = z.strictObject({
  schema: z.literal(1),
  package: z.string(),
  created: z.iso.datetime(),
  command: z.string(),
  machine,
  copyBandwidth: z.array(z.strictObject({ threads: count, bytesPerSecond: spread })),
  workloads: z.array(workloadResult),
  distributions: z.array(distributionTimes),
  figures: z.array(figure),
  notMeasured: z.array(z.string()),
  studies: z.array(study),
});

type Frozen<T> = T extends object ? { readonly [Key in keyof T]: Frozen<T[Key]> } : T;
type Inferred = Frozen<z.infer<typeof reportSchema>>;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
/** Does not compile unless schema and types say the same. */
true satisfies Same<Inferred, Report>;

/** A report from its JSON; an error says which places are wrong, and how. */
export function parseReport(json: string): Report {
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
