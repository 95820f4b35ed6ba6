import { Option } from 'commander';
import { newCommand, parseCount, parseList, type CommonOptions } from './command/options';

export interface Options extends CommonOptions {
  readonly only?: readonly string[];
  readonly rounds?: number;
  readonly contender: readonly string[];
  readonly study?: boolean;
  readonly distributions?: boolean;
  readonly trainingStep?: boolean;
  readonly list?: boolean;
  readonly compare?: string;
  readonly allowUnknownBuild?: boolean;
}

const explanation = `
Contenders compute loss, gradient and gradient statistics of Equalized Focal Loss, each in a process
of its own. All are checked against float64 first; then they are timed in turn, round by round. A
copy of the logits and the fastest of this package always run: they are what others are compared
with. Quote the ratios, which are taken within a round, not the nanoseconds.

Exit code: 0, or 1 where this package has regressed (--compare) or computes something else, or 2
where nothing was measured.

Examples:
  --quick                          some minutes, for a first look
  --shapes 20000x1203 --only ours  one workload, this package alone
  --out results                    tables, charts and a page in the folder results
  --compare results/report.json    what has become slower since`;

export function parseOptions(args: readonly string[], name: string): Options {
  const description = 'Compare this package with other ways to compute the same, on this machine.';
  return newCommand(name, description)
    .option('--only <list>', 'contenders whose id starts so, separated by commas', parseList)
    .option(
      '--rounds <number>',
      'rounds that are counted (default: 15, with --quick 5)',
      parseCount,
    )
    .addOption(
      new Option('--contender <file>', "a contender of your own, see the benchmark's README.md")
        .argParser((file: string, files: string[]) => [...files, file])
        .default([], 'none'),
    )
    .option('--study', 'also how times change with rows, classes, threads and gamma')
    .option('--distributions', 'compare only the distributions of logits, of this package')
    .option('--training-step', 'compare whole training steps on TensorFlow.js instead')
    .option('--list', 'print the contenders and end')
    .option('--compare <file>', 'compare with a stored report; exit with 1 on a regression')
    .option('--allow-unknown-build', 'also time a build that nothing is known of (EFL_BINARY)')
    .addHelpText('after', explanation)
    .parse(args, { from: 'user' })
    .opts<Options>();
}
