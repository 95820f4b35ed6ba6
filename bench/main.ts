/** `npm run bench -- [options]`. */
import { version } from '..';
import { faulty, runProgram } from './command/program';
import { makeRoom, store } from './command/store';
import { listContenders, type Listed } from './contenders';
import { timesByDistribution } from './distributions';
import { distributionFigures } from './figures';
import { instructionSets } from './host/instruction-sets';
import { describeMachine } from './measure/machine';
import { parseOptions, type Options } from './options';
import { objectionToBuild } from './package-build';
import { withProgress } from './host/progress';
import { compareReports } from './report/compare';
import { markdownTable } from './report/markdown-table';
import { readReport } from './report/read';
import type { Report, WorkloadResult } from './report/report';
import {
  distributionTable,
  figureTable,
  resultTable,
  skippedTable,
  workloadTitle,
} from './report/tables';
import { runBenchmark, type Audience } from './run';
import { figuresFrom } from './script';

const commandName = 'npm run bench --';

const audience: Audience = {
  workload: (result) => {
    console.log(`\n## ${workloadTitle(result)}\n\n${markdownTable(resultTable(result))}`);
    const skipped = skippedTable([result]);
    if (skipped.rows.length > 0) console.log(`\n${markdownTable(skipped)}`);
  },
  distributions: (frame) => {
    if (frame.distributions.length === 0) return;
    const table = markdownTable(distributionTable([frame]));
    console.log(`\n## Speed by distribution of values: ns/logit, 1 thread\n\n${table}`);
  },
  figures: (figures, notMeasured) => {
    if (figures.length > 0) console.log(`\n## Figures\n\n${markdownTable(figureTable(figures))}`);
    if (notMeasured.length > 0) console.log(`\nNot measured: ${notMeasured.join('; ')}.`);
  },
};

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, commandName);
  if (options.list) return list(listContenders(options.contender));
  const objection = objectionToBuild(options.allowUnknownBuild ?? false);
  if (objection !== undefined) throw new Error(objection);
  // Before the work: a file that cannot be read is known now.
  const before = options.compare === undefined ? undefined : readReport(options.compare);
  if (options.trainingStep) return compareTrainingSteps(options);
  if (options.distributions) return compareDistributions(options);
  const frame = {
    package: `equalized-focal-loss ${version}`,
    command: [commandName, ...args].join(' '),
  };
  const contenders = listContenders(options.contender);
  makeRoom(options); // before the work, too
  const report = await runBenchmark(options, contenders, frame, audience);
  await store(report, options);
  const regressed = before !== undefined && hasRegressed(before, report);
  return regressed || report.workloads.some(oursIsWrong) ? faulty : 0;
}

async function compareTrainingSteps({ quick }: Options): Promise<number> {
  const args = quick ? ['--quick'] : [];
  const measuring = () => figuresFrom('training-step', args, {});
  audience.figures(await withProgress('training step', measuring), []);
  return 0;
}

async function compareDistributions({ quick = false, rounds }: Options): Promise<number> {
  const distributions = await timesByDistribution(quick, rounds);
  audience.distributions({ machine: describeMachine(instructionSets()), distributions });
  audience.figures(distributionFigures(distributions), []);
  return 0;
}

function list(contenders: readonly Listed[]): number {
  const rows = contenders.map(({ id, name, threads, missing }) => [
    ...[id, name, String(threads)],
    missing ?? '',
  ]);
  const head = ['id', 'contender', 'threads', 'missing'];
  console.log(markdownTable({ head, figures: [false, false, true, false], rows }));
  return 0;
}

function hasRegressed(before: Report, after: Report): boolean {
  const { text, regressions, compared } = compareReports(before, after);
  console.log(`\n## Compared with ${before.created}\n\n${text}`);
  if (compared === 0) throw new Error('the two reports have nothing in common to compare');
  return regressions.length > 0;
}

/** The package itself must not be among those that are left out. */
function oursIsWrong({ skipped }: WorkloadResult): boolean {
  return skipped.some(({ id }) => id.startsWith('ours-'));
}

runProgram('bench', main);
