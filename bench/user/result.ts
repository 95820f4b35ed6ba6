/** What a run has measured, for people and for programs. */
import type { Listed } from '../contenders';
import { ratioOf, spreadOf } from '../measure/statistics';
import { digits, machineLines, worstError } from '../report/format';
import { markdownTable } from '../report/markdown-table';
import type { Errors, Machine, Spread } from '../report/report';
import type { Outcome, Timed } from './contest';

interface TimedResult {
  readonly id: string;
  readonly name: string;
  /** Of the software that computes. */
  readonly version: string | null;
  readonly threads: number;
  readonly rows: number;
  readonly nanosecondsPerLogit: Spread;
  /** Its time over that of this package with all threads, taken within each round. */
  readonly timesOurs: Spread;
  /** Off from float64 so much, relative to the value. */
  readonly errors: Errors;
}

export interface ShapeResult {
  readonly rows: number;
  readonly classes: number;
  readonly rounds: number;
  readonly results: readonly TimedResult[];
  readonly failures: readonly { readonly id: string; readonly reason: string }[];
}

export interface Result {
  readonly package: string;
  readonly machine: Machine;
  readonly shapes: readonly ShapeResult[];
  readonly notCompared: readonly string[];
}

/** Throws where this package itself could not be timed: all are compared with it. */
export function shapeResult({ workload, timed, failures }: Outcome, ours: Listed): ShapeResult {
  const own = timed.find(({ contender }) => contender === ours);
  if (own === undefined) {
    const failure = failures.find(({ contender }) => contender === ours);
    throw new Error(`this package could not be timed: ${failure?.reason ?? 'unknown'}`);
  }
  const results = timed.map((one): TimedResult => resultOf(one, own));
  return {
    rows: workload.rows,
    classes: workload.classes,
    rounds: own.times.length,
    results: results.sort((a, b) => a.timesOurs.median - b.timesOurs.median),
    failures: failures.map(({ contender: { id }, reason }) => ({ id, reason })),
  };
}

function resultOf({ contender, version, rows, errors, times }: Timed, own: Timed): TimedResult {
  const { id, name, threads } = contender;
  return {
    ...{ id, name, version, threads, rows, errors },
    nanosecondsPerLogit: spreadOf(times),
    timesOurs: ratioOf(times, own.times),
  };
}

export function machineText({
  package: name,
  machine,
}: Pick<Result, 'package' | 'machine'>): string {
  const lines = [['package', name], ...machineLines(machine)];
  return lines.map(([what, value]) => `${what!.padEnd(17)} ${value!}`).join('\n');
}

export function shapeText({ rows, classes, rounds, results, failures }: ShapeResult): string {
  const head = ['', 'threads', 'rows', 'ns/logit', 'x ours', 'range', 'worst error'];
  const table = markdownTable({
    head,
    figures: head.map((_, column) => column > 0),
    rows: results.map((one) => [
      one.name,
      String(one.threads),
      one.rows.toLocaleString('en-US'),
      digits(one.nanosecondsPerLogit.median),
      digits(one.timesOurs.median),
      rangeOf(one.timesOurs),
      worstError(one),
    ]),
  });
  const lines = failures.map(({ id, reason }) => `${id} was left out: ${reason}`);
  const title = `${rows.toLocaleString('en-US')} rows x ${classes} classes, ${rounds} rounds`;
  return [title, '', table, ...lines].join('\n');
}

/** The quartiles; nothing for what all are compared with. */
function rangeOf({ lower, upper }: Spread): string {
  return lower === upper ? '' : `${digits(lower)} to ${digits(upper)}`;
}
