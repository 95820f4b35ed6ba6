import { Command, InvalidArgumentError } from 'commander';
import { parseCount, parseShapes } from '../command/options';
import { refused } from '../command/program';
import type { Workload } from '../workload/workload';
import { pace, quickPace } from './pace';

export interface Options {
  readonly quick?: boolean;
  readonly shapes?: readonly Workload[];
  readonly seconds?: number;
  readonly json?: boolean;
}

/** Starting and checking take some. */
const fewestSeconds = 5;

const explanation = `
All compute loss, gradient and gradient statistics of Equalized Focal Loss, each in a process of its
own. Each is checked against float64 first, and what is off is not timed; then they are timed in turn.
TensorFlow.js, onnxruntime-node and jax-js take part where they are installed in the current folder.

Exit code: 0, or 1 where this package computes something else, or 2 where nothing was measured.`;

export function parseOptions(args: readonly string[]): Options {
  return new Command('efl bench')
    .description('Time this package, plain JavaScript and what is installed, on this machine.')
    .option('--quick', `small shapes, ${quickPace.seconds} seconds in place of ${pace.seconds}`)
    .option('--shapes <list>', 'your own shapes as ROWSxCLASSES, separated by commas', parseShapes)
    .option('--seconds <number>', `how long it may take, ${fewestSeconds} or more`, parseSeconds)
    .option('--json', 'print JSON')
    .addHelpText('after', explanation)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : refused))
    .parse(args, { from: 'user' })
    .opts<Options>();
}

function parseSeconds(text: string): number {
  const seconds = parseCount(text);
  if (seconds >= fewestSeconds) return seconds;
  throw new InvalidArgumentError(`Less than ${fewestSeconds}.`);
}
