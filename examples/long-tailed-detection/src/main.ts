/** Entry point: `npm start`, or `npm run demo` in the package root. */
import { availableParallelism, constants } from 'node:os';

import { displayPath, parseCommandLine, type CommandLine } from './cli.ts';
import type { ExperimentConfig } from './config.ts';
import { UsageError } from './errors.ts';
import { RunDirectory } from './experiment/run-directory.ts';
import { runExperiment } from './experiment/run-experiment.ts';
import { summarize } from './report/summary.ts';
import { consoleReport } from './report/console.ts';
import { writeMetrics } from './report/metrics.ts';
import { createProgress, type ProgressDisplay } from './terminal/progress.ts';
import { WorkerPool } from './workers/pool.ts';

const USAGE_EXIT_CODE = 2;

async function main(): Promise<number> {
  const commandLine = parseCommandLine(process.argv.slice(2));
  if (!commandLine) return 0;
  const directory = openRun(commandLine);
  console.error(`Run directory: ${displayPath(directory.path)}`);
  const progress = createProgress();

  // The workers use all cores already; threads inside the loss would only compete with them.
  process.env['EFL_NUM_THREADS'] ??= '1';
  const pool = new WorkerPool(commandLine.workers ?? usefulWorkers(directory.config));
  const interruption = stopOnSignals(pool, progress);
  const results = await runExperiment(directory, pool, progress);
  progress.close();
  await pool.close();
  if (!results) {
    console.error(`Stopped. To go on: ${resumeCommand(directory)}`);
    return 128 + constants.signals[interruption.signal ?? 'SIGINT'];
  }

  const summary = summarize(directory.config, results);
  writeMetrics(directory, summary);
  // The report brings in the chart library, which nothing before it needs.
  const { writeReport } = await import('./report/report.ts');
  await writeReport(directory, summary);
  console.log(consoleReport(directory, summary));
  return 0;
}

/** One per core, but no more than there are trainings; a few more help with the features. */
function usefulWorkers({ losses, seeds }: ExperimentConfig): number {
  return Math.min(availableParallelism(), Math.max(4, losses.length * seeds.length));
}

function openRun({ config, directory }: CommandLine): RunDirectory {
  return config ? RunDirectory.create(directory, config) : RunDirectory.open(directory);
}

/**
 * One Ctrl-C can arrive several times: from the terminal, and passed on by npm and by the launcher.
 * What follows the first signal this closely is not a second one.
 */
const ECHO_MILLISECONDS = 1000;

/** The first signal asks the workers to save and stop; a second one quits at once. */
function stopOnSignals(pool: WorkerPool, progress: ProgressDisplay): { signal?: NodeJS.Signals } {
  const interruption: { signal?: NodeJS.Signals } = {};
  let first = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (interruption.signal) {
        if (performance.now() - first < ECHO_MILLISECONDS) return;
        process.exit(128 + constants.signals[signal]);
      }
      interruption.signal = signal;
      first = performance.now();
      progress.close();
      console.error('Saving checkpoints and stopping; once more quits at once.');
      pool.stop();
    });
  }
  return interruption;
}

function resumeCommand(directory: RunDirectory): string {
  const command = process.env['EXAMPLE_COMMAND'] ?? 'npm start --';
  return `${command} --resume ${displayPath(directory.path)}`;
}

try {
  process.exitCode = await main();
} catch (error) {
  // A full disk or a directory without write permission needs no stack trace either.
  const isSystemError = error instanceof Error && 'syscall' in error;
  if (!(error instanceof UsageError) && !isSystemError) throw error;
  console.error(`long-tailed-detection: ${error.message}`);
  process.exit(isSystemError ? 1 : USAGE_EXIT_CODE);
}
