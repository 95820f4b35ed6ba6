/** What all programs of the benchmark take on the command line. */
import { Command, InvalidArgumentError } from 'commander';
import { distributed, distributionNames, mixed, type Workload } from '../workload/workload';
import { refused } from './program';

export interface CommonOptions {
  readonly quick?: boolean;
  readonly shapes?: readonly Workload[];
  readonly json?: string;
  readonly out?: string;
}

export function newCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--quick', 'small workloads and few rounds')
    .option(
      '--shapes <list>',
      'workloads as ROWSxCLASSES, with :2 for gamma 2 or :prior, :trained ... for such logits',
      parseShapes,
    )
    .option('--json <file>', 'store the report')
    .option('--out <folder>', 'store report.json, report.md, report.html and charts')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : refused));
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
  if (kind === undefined) return mixed(shape.rows, shape.classes);
  if (kind === '2') return { ...shape, gamma: 'two' };
  const distribution = distributionNames.find((name) => name === kind);
  if (distribution !== undefined) return distributed(distribution, shape);
  throw new InvalidArgumentError(
    `':${kind}' is neither ':2' nor :${distributionNames.join(', :')}.`,
  );
}

export function parseList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('Not an integer > 0.');
  return count;
}
