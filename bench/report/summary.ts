/** The package and its peers on the large workloads; and the few of them that the README shows. */
import { digits, percentSpread, worstError } from './format';
import type { ContenderResult, Report, WorkloadResult } from './report';
import { workloadTitle, type Table } from './tables';

/** Fewer logits show what a call costs, not what a contender can do. */
const large = 1_000_000;
const shown = 2;

export function summaryWorkloads({ workloads }: Report): readonly WorkloadResult[] {
  const mixed = workloads.filter(({ gamma, results }) => gamma === 'mixed' && results.length > 0);
  const suitable = mixed.filter(({ rows, classes }) => rows * classes >= large);
  return (suitable.length > 0 ? suitable : mixed).slice(0, shown);
}

/** What a reader of the README may already use; of each the id. */
const familiar = ['python-torch-compile', 'plain-javascript', 'tfjs-wasm'];

export function summaryTable(report: Report): Table {
  const workloads = summaryWorkloads(report);
  return tableOf(workloads, contendersOf(workloads));
}

/** The same with the package, a copy on as many threads, and the peers that most readers know. */
export function shortSummaryTable(report: Report): Table {
  const workloads = summaryWorkloads(report);
  const contenders = contendersOf(workloads);
  const copies = contenders.filter(({ family }) => family === 'copy');
  const threads = Math.max(...copies.map((copy) => copy.threads));
  const few = contenders.filter((one) => {
    if (one.family === 'copy') return one.threads === threads;
    return one.family === 'ours' || familiar.includes(one.id);
  });
  return tableOf(workloads, few);
}

function tableOf(
  workloads: readonly WorkloadResult[],
  contenders: readonly ContenderResult[],
): Table {
  const columns = workloads.flatMap((workload) => [
    `${shortTitle(workload)}: ns/logit`,
    'x ours',
    'spread',
  ]);
  const head = ['', 'threads', ...columns, 'extra memory', 'worst error'];
  return {
    head,
    figures: head.map((_, column) => column > 0),
    rows: contenders.map((contender) => [
      contender.name,
      `${contender.threads}`,
      ...workloads.flatMap((workload) => times(resultOf(contender, workload))),
      contender.extraMemory === null ? '' : `${digits(contender.extraMemory)} x`,
      worstError(contender),
    ]),
  };
}

function shortTitle(workload: WorkloadResult): string {
  return workloadTitle(workload).replace(/,[^,]*gamma.*$/, '');
}

function resultOf(
  { id, threads }: ContenderResult,
  { results }: WorkloadResult,
): ContenderResult | undefined {
  return results.find((result) => result.id === id && result.threads === threads);
}

function times(result: ContenderResult | undefined): string[] {
  if (result === undefined) return ['', '', ''];
  const { nanosecondsPerLogit, timesOurs } = result;
  return [digits(nanosecondsPerLogit.median), digits(timesOurs.median), percentSpread(timesOurs)];
}

/** In the order of their times on the first workload; of the package the best for its threads. */
function contendersOf(workloads: readonly WorkloadResult[]): ContenderResult[] {
  const all = workloads
    .flatMap(({ results }) => byTime(results))
    .filter(({ id }, i, list) => list.findIndex((other) => other.id === id) === i);
  return all.filter((one) => one.family !== 'ours' || one === fastestWith(one.threads, all));
}

function fastestWith(threads: number, all: readonly ContenderResult[]): ContenderResult {
  return all.find((one) => one.family === 'ours' && one.threads === threads)!;
}

function byTime(results: readonly ContenderResult[]): ContenderResult[] {
  return [...results].sort((a, b) => a.nanosecondsPerLogit.median - b.nanosecondsPerLogit.median);
}
