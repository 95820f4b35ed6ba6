/** From the times of the rounds to what is reported. */
import type { Measured, Outcome } from './contest';
import type { ContenderResult, DistributionTimes, Report, WorkloadResult } from './report/report';
import { ratioOf, spreadOf } from './measure/statistics';
import { distributionNames, nameOf } from './workload/workload';

export function workloadResult({ workload, measured, skipped }: Outcome): WorkloadResult {
  const ours = fastestOfOurs(measured);
  return {
    name: nameOf(workload),
    ...workload,
    results: measured.map((one) =>
      contenderResult(one, copyFor(one, measured, workload.classes), ours, workload.classes),
    ),
    skipped,
  };
}

function contenderResult(
  { contender, version, rows, times, extraBytes, errors }: Measured,
  copy: Measured,
  ours: Measured,
  classes: number,
): ContenderResult {
  const { id, name, family, threads } = contender;
  return {
    ...{ id, name, family, version, threads, rows },
    nanosecondsPerLogit: spreadOf(times),
    timesCopy: ratioOf(times, copy.times),
    timesOurs: ratioOf(times, ours.times),
    extraMemory: extraMemory(extraBytes, rows * classes),
    errors,
  };
}

/** Below so many logits the runtime's own memory drowns that of the work. */
const leastLogitsForMemory = 200_000;

function extraMemory(bytes: number | null, logits: number): number | null {
  if (bytes === null || logits < leastLogitsForMemory) return null;
  return bytes / (logits * Float32Array.BYTES_PER_ELEMENT);
}

/** With fewer logits, handing parts over to threads takes longer than copying them. */
const leastLogitsForThreads = 1_000_000;

/** The copy with as many threads as the contender has, where that makes sense. */
function copyFor(
  { contender, rows }: Measured,
  measured: readonly Measured[],
  classes: number,
): Measured {
  const most = rows * classes < leastLogitsForThreads ? 1 : contender.threads;
  const copies = measured.filter(({ contender: { family } }) => family === 'copy');
  const suitable = copies.filter((copy) => copy.contender.threads <= most);
  return required(
    best(suitable, ({ contender: { threads } }) => -threads),
    'a copy',
  );
}

/** Of those with all threads. */
export function fastestOfOurs(measured: readonly Measured[]): Measured {
  const ours = measured.filter(({ contender }) => contender.family === 'ours');
  const threads = Math.max(...ours.map(({ contender }) => contender.threads));
  const candidates = ours.filter(({ contender }) => contender.threads === threads);
  return required(
    best(candidates, ({ times }) => spreadOf(times).median),
    'this package',
  );
}

function best<T>(items: readonly T[], cost: (item: T) => number): T | undefined {
  return [...items].sort((a, b) => cost(a) - cost(b))[0];
}

function required(measured: Measured | undefined, what: string): Measured {
  if (measured === undefined)
    throw new Error(`${what} could not be timed: nothing to compare with`);
  return measured;
}

/** On the largest workload, which fits no cache; a copy reads four bytes a logit and writes four. */
export function copyBandwidth(outcomes: readonly Outcome[]): Report['copyBandwidth'] {
  const largest = best(outcomes, ({ workload: { rows, classes } }) => -rows * classes);
  return (largest?.measured ?? [])
    .filter(({ contender }) => contender.family === 'copy')
    .map(({ contender, times }) => ({
      threads: contender.threads,
      bytesPerSecond: spreadOf(times.map((nanoseconds) => 8e9 / nanoseconds)),
    }));
}

/** From the times of one instruction set in every round, for each of `distributionNames`. */
export function distributionTimes(
  instructionSet: string,
  times: readonly (readonly number[])[],
): DistributionTimes {
  const byMedian = [...times].sort((a, b) => spreadOf(a).median - spreadOf(b).median);
  const undecided = times[distributionNames.indexOf('undecided')]!;
  return {
    instructionSet,
    times: distributionNames.map((distribution, i) => ({
      distribution,
      nanosecondsPerLogit: spreadOf(times[i]!),
    })),
    slowestOverUndecided: ratioOf(byMedian.at(-1)!, undecided),
  };
}
