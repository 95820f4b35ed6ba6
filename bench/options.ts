import { Command, InvalidArgumentError, Option } from 'commander';
import { distributed, distributionNames, type Workload } from './workload';

export interface Options {
  readonly quick?: boolean;
  readonly shapes?: readonly Workload[];
  readonly only?: readonly string[];
  readonly rounds?: number;
  readonly contender: readonly string[];
  readonly study?: boolean;
  readonly distributions?: boolean;
  readonly trainingStep?: boolean;
  readonly list?: boolean;
  readonly json?: string;
  readonly out?: string;
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
  return new Command(name)
    .description('Compare this package with other ways to compute the same, on this machine.')
    .option('--quick', 'small workloads and few rounds')
    .option(
      '--shapes <list>',
      'workloads as ROWSxCLASSES, with :2 for gamma 2 or :prior, :trained ... for such logits',
      parseShapes,
    )
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
    .option('--json <file>', 'store the report')
    .option('--out <folder>', 'store report.json, report.md, report.html and charts')
    .option('--compare <file>', 'compare with a stored report; exit with 1 on a regression')
    .option('--allow-unknown-build', 'also time a build that nothing is known of (EFL_BINARY)')
    .addHelpText('after', explanation)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .parse(args, { from: 'user' })
    .opts<Options>();
}

export function parseShapes(text: string): Workload[] {
  return parseList(text).map((shape) => {
    const [, rowsText, classesText, kind] = /^(\d+)x(\d+)(?::(\w+))?$/.exec(shape) ?? [];
    const [rows, classes] = [Number(rowsText), Number(classesText)];
    if (!(rows >= 1 && classes >= 1 && rows * classes <= 2 ** 29)) {
      throw new InvalidArgumentError(`'${shape}' is not like 20000x1203.`);
    }
    return workloadOf(kind, { rows, classes });
  });
}

function workloadOf(kind: string | undefined, shape: Pick<Workload, 'rows' | 'classes'>): Workload {
  if (kind === undefined) return { ...shape, gamma: 'mixed' };
  if (kind === '2') return { ...shape, gamma: 'two' };
  const distribution = distributionNames.find((name) => name === kind);
  if (distribution !== undefined) return distributed(distribution, shape);
  throw new InvalidArgumentError(
    `':${kind}' is neither ':2' nor :${distributionNames.join(', :')}.`,
  );
}

function parseList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('Not an integer > 0.');
  return count;
}
