import { freemem } from 'node:os';
import type { Listed } from './contenders';
import { Runner, type Pace } from './process/runner';
import type { Stage } from './process/stage';
import { bytes } from './report/format';
import type { Errors } from './report/report';

export interface ContestPace extends Pace {
  /** Slow contenders take this share of the logits that they otherwise would. */
  readonly shareOfLimits: number;
}

export const fullPace: ContestPace = { rounds: 15, sampleMilliseconds: 20, shareOfLimits: 1 };
export const quickPace: ContestPace = { rounds: 5, sampleMilliseconds: 5, shareOfLimits: 0.1 };

/** Calls after which the peak of the memory is read. */
const memoryCalls = 2;

/** A contender, checked and ready to be timed on one workload. */
export interface Entrant {
  readonly contender: Listed;
  readonly version: string | null;
  readonly rows: number;
  readonly errors: Errors | null;
  /** Peak memory beyond logits and labels. */
  readonly extraBytes: number | null;
  readonly runner: Runner;
}

/** Rejects with the reason where the contender cannot run or computes something else. */
export async function enter(contender: Listed, stage: Stage, pace: ContestPace): Promise<Entrant> {
  if (contender.missing !== undefined) throw new Error(contender.missing);
  const rows = rowsFor(contender, stage, pace);
  requireMemory(contender, rows * stage.classes);
  const runner = new Runner(contender);
  try {
    const errors = await runner.check(stage);
    const { version } = await runner.prepare(stage.files(rows));
    // First of all: the peak is that of the calls as long as nothing else has run.
    const extraBytes = await runner.memory(memoryCalls);
    await runner.calibrate(pace.sampleMilliseconds);
    return { contender, version, rows, errors, extraBytes, runner };
  } catch (error) {
    await runner.end();
    throw error;
  }
}

function rowsFor(
  { mostLogits }: Listed,
  { rows, classes }: Stage,
  { shareOfLimits }: ContestPace,
): number {
  if (mostLogits === undefined) return rows;
  return Math.min(rows, Math.max(1, Math.floor((mostLogits * shareOfLimits) / classes)));
}

/** Every process has arrays of its own: none may push the others out of memory. */
function requireMemory({ arrays = 3 }: Listed, logits: number): void {
  const [needed, free] = [arrays * logits * Float32Array.BYTES_PER_ELEMENT, freemem()];
  if (needed < free) return;
  throw new Error(`needs about ${bytes(needed)} of memory, ${bytes(free)} are free`);
}
