/** Two reports: what of ours has become slower, beyond the noise of both. */
import { digits, threadCount } from './format';
import { markdownTable } from './markdown-table';
import type { ContenderResult, Machine, Report, Spread, WorkloadResult } from './report';

/** Smaller changes come from the placement of code and of memory, not from what it does. */
const smallestChange = 0.05;

export interface Regression {
  readonly workload: string;
  readonly contender: string;
  readonly before: Spread;
  readonly after: Spread;
  /** Growth of the median, 0.1 for a tenth. */
  readonly growth: number;
}

export interface Comparison {
  readonly text: string;
  readonly regressions: readonly Regression[];
  /** Results that both reports have. */
  readonly compared: number;
}

interface Entry {
  readonly workload: WorkloadResult;
  readonly result: ContenderResult;
}

/**
 * Compares times as multiples of a copy made in the same round: they carry over from machine to
 * machine as far as anything does. Only contenders of the package itself can regress.
 */
export function compareReports(before: Report, after: Report): Comparison {
  const [old, now] = [ownEntries(before), ownEntries(after)];
  const shared = [...now.keys()].filter((key) => old.has(key));
  const changes = shared.map((key) => change(now.get(key)!, old.get(key)!));
  const regressions = changes.filter(({ verdict }) => verdict === 'SLOWER');
  const sections = [
    ...machineDifferences(before.machine, after.machine),
    ...onlyIn('before', old, now),
    ...onlyIn('after', now, old),
    changes.length === 0 ? 'The reports have nothing in common to compare.' : changeTable(changes),
    summary(regressions.length, changes.length),
  ];
  return { text: `${sections.join('\n\n')}\n`, regressions, compared: changes.length };
}

/** Another shape is another problem, and so are another number of threads or of rows. */
function ownEntries(report: Report): Map<string, Entry> {
  const entries = report.workloads.flatMap((workload) =>
    workload.results
      .filter(({ family }) => family === 'ours')
      .map((result): [string, Entry] => {
        const { name, rows, classes, gamma } = workload;
        const key = [name, rows, classes, gamma, result.id, result.threads, result.rows];
        return [JSON.stringify(key), { workload, result }];
      }),
  );
  return new Map(entries);
}

interface Change extends Regression {
  readonly verdict: 'SLOWER' | 'faster' | 'same';
}

/** Beyond the noise: the quarters of the two do not meet. */
function change(now: Entry, old: Entry): Change {
  const [before, after] = [old.result.timesCopy, now.result.timesCopy];
  const growth = after.median / before.median - 1;
  const slower = growth > smallestChange && after.lower > before.upper;
  const faster = growth < -smallestChange && after.upper < before.lower;
  return {
    workload: now.workload.name,
    contender: title(now),
    before,
    after,
    growth,
    verdict: slower ? 'SLOWER' : faster ? 'faster' : 'same',
  };
}

function title({ result }: Entry): string {
  return `${result.name}, ${threadCount(result.threads)}`;
}

function changeTable(changes: readonly Change[]): string {
  return markdownTable({
    head: ['workload', 'contender', 'times copy before', 'after', 'change', ''],
    figures: [false, false, true, true, true, false],
    rows: changes.map(({ workload, contender, before, after, growth, verdict }) => [
      workload,
      contender,
      range(before),
      range(after),
      `${growth < 0 ? '' : '+'}${(100 * growth).toFixed(0)} %`,
      verdict,
    ]),
  });
}

function range({ median, lower, upper }: Spread): string {
  return `${digits(median)} (${digits(lower)} to ${digits(upper)})`;
}

function machineDifferences(before: Machine, after: Machine): string[] {
  const names = Object.keys(after) as (keyof Machine)[];
  const different = names
    .map((name) => ({ name, old: String(before[name]), now: String(after[name]) }))
    .filter(({ old, now }) => old !== now)
    .map(({ name, old, now }) => `- ${name}: ${old} before, ${now} after`);
  if (different.length === 0) return [];
  return ['The machines differ: changes may be theirs.', different.join('\n')];
}

function onlyIn(
  when: string,
  these: ReadonlyMap<string, Entry>,
  others: ReadonlyMap<string, Entry>,
): string[] {
  const alone = [...these].filter(([key]) => !others.has(key));
  if (alone.length === 0) return [];
  const lines = alone.map(([, entry]) => {
    const { name, rows, classes } = entry.workload;
    return `- ${name} (${rows} x ${classes}), ${title(entry)}, ${entry.result.rows} rows timed`;
  });
  return [`Not compared, only in the report ${when}:`, lines.join('\n')];
}

function summary(regressions: number, compared: number): string {
  const what = compared === 1 ? '1 result' : `${compared} results`;
  if (regressions === 0) return `No regression beyond the noise in ${what}.`;
  return `${regressions} of ${what} SLOWER than before, beyond the noise.`;
}
