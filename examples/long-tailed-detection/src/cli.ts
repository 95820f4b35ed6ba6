/** The command line: options, their checks, and the configuration they make. */
import { relative, resolve } from 'node:path';

import { Command, CommanderError, InvalidArgumentError } from 'commander';

import {
  DEFAULT_CONFIG,
  LOSS_NAMES,
  QUICK_CONFIG,
  type ExperimentConfig,
  type LossName,
} from './config.ts';
import { UsageError } from './errors.ts';
import { callerDirectory } from './paths.ts';

export interface CommandLine {
  /** Absent when resuming: the run brings its own. */
  config?: ExperimentConfig;
  /** Where the run is, or will be. */
  directory: string;
  /** Absent: as many as are useful. */
  workers?: number;
}

/** Each group needs a few classes, and some of the 400 things of the pool must remain as clutter. */
const [FEWEST_CLASSES, MOST_CLASSES] = [12, 350];

interface RawOptions {
  loss?: LossName[];
  seed?: number;
  seeds?: number[];
  epochs?: number;
  classes?: number;
  scaleFactor?: number;
  prior?: number;
  learningRate?: number;
  balanced?: boolean;
  quick?: boolean;
  out?: string;
  resume?: string;
  workers?: number;
}

/** Undefined when only help was asked for. */
export function parseCommandLine(args: readonly string[]): CommandLine | undefined {
  const program = buildProgram();
  try {
    program.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new UsageError(error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' '));
  }
  return interpret(program.opts<RawOptions>());
}

function buildProgram(): Command {
  const { seeds, epochs, classes, scaleFactor, priors, learningRates } = DEFAULT_CONFIG;
  const rates = LOSS_NAMES.map((loss) => `${learningRates[loss]} (${loss})`).join(', ');
  const quick = `${QUICK_CONFIG.classes} classes, ${QUICK_CONFIG.epochs} epochs, without ce`;
  return new Command('long-tailed-detection')
    .description(
      'Trains the same small detector head on long-tailed data with cross-entropy (ce), Focal Loss\n' +
        '(fl) and Equalized Focal Loss (efl), and compares their average precision.',
    )
    .option(
      '--loss <list>',
      'losses, separated by commas: ce, fl, efl or all (default: all)',
      losses,
    )
    .option(
      '--seed <n>',
      `which things are rare, and all other chance (default: ${seeds[0]})`,
      seed,
    )
    .option('--seeds <list>', 'several seeds, separated by commas: adds mean and spread', seedList)
    .option('--epochs <n>', `passes over the training data (default: ${epochs})`, integer(1, 1000))
    .option(
      '--classes <n>',
      `target classes, ${FEWEST_CLASSES} to ${MOST_CLASSES} (default: ${classes})`,
      integer(FEWEST_CLASSES, MOST_CLASSES),
    )
    .option(
      '--scale-factor <s>',
      `s of Equalized Focal Loss (default: ${scaleFactor})`,
      number('at least 0', (s) => s >= 0),
    )
    .option(
      '--prior <p>',
      `score of every class at the start, for fl and efl (default: ${priors.efl})`,
      number('between 0 and 1', (p) => p > 0 && p < 1),
    )
    .option(
      '--learning-rate <r>',
      `of all losses, instead of ${rates}`,
      number('above 0', (r) => r > 0),
    )
    .option('--balanced', 'control: as many objects, but the same number of images for every class')
    .option('--quick', `a minute at most: ${quick}`)
    .option('--out <dir>', 'directory of the run (default: runs/<date>-<losses>-seed<n>)')
    .option('--resume <dir>', 'go on with an interrupted run; its settings are kept')
    .option(
      '--workers <n>',
      'threads (default: one per core, as far as there is work)',
      integer(1, 256),
    )
    .configureOutput({ writeErr: () => undefined })
    .exitOverride();
}

function interpret(options: RawOptions): CommandLine {
  const workers = options.workers === undefined ? {} : { workers: options.workers };
  if (options.resume !== undefined) {
    const other = Object.keys(options).find((name) => name !== 'resume' && name !== 'workers');
    if (other !== undefined) {
      throw new UsageError(`--resume keeps the settings of the run: leave ${flag(other)} out`);
    }
    return { directory: resolve(callerDirectory(), options.resume), ...workers };
  }
  if (options.seed !== undefined && options.seeds !== undefined) {
    throw new UsageError('give either --seed or --seeds');
  }
  const config = makeConfig(options);
  const directory = resolve(callerDirectory(), options.out ?? defaultName(config));
  return { config, directory, ...workers };
}

const flag = (name: string): string =>
  `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

function makeConfig(options: RawOptions): ExperimentConfig {
  const base = { ...DEFAULT_CONFIG, ...(options.quick && QUICK_CONFIG) };
  const { prior, learningRate: rate } = options;
  return {
    ...base,
    losses: options.loss ?? base.losses,
    seeds: options.seeds ?? (options.seed === undefined ? base.seeds : [options.seed]),
    epochs: options.epochs ?? base.epochs,
    classes: options.classes ?? base.classes,
    scaleFactor: options.scaleFactor ?? base.scaleFactor,
    balanced: options.balanced ?? base.balanced,
    priors: prior === undefined ? base.priors : { ...base.priors, fl: prior, efl: prior },
    learningRates: rate === undefined ? base.learningRates : { ce: rate, fl: rate, efl: rate },
  };
}

function defaultName({ losses, seeds }: ExperimentConfig): string {
  const now = new Date();
  const two = (n: number): string => String(n).padStart(2, '0');
  const date = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  return `runs/${date}-${time}-${losses.join('+')}-seed${seeds.join('+')}`;
}

function losses(text: string): LossName[] {
  if (text === 'all') return [...LOSS_NAMES];
  const names = text.split(',');
  const unknown = names.find((name) => !(LOSS_NAMES as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`'${unknown}' is not one of ce, fl, efl, all.`);
  }
  return LOSS_NAMES.filter((name) => names.includes(name));
}

function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It takes an integer from ${least} to ${most}.`);
    }
    return value;
  };
}

const seed = integer(0, 2 ** 24);

function seedList(text: string): number[] {
  const seeds = text.split(',').map(seed);
  if (new Set(seeds).size < seeds.length) throw new InvalidArgumentError('A seed occurs twice.');
  return seeds;
}

function number(range: string, inRange: (value: number) => boolean): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || !inRange(value)) {
      throw new InvalidArgumentError(`It takes a number ${range}.`);
    }
    return value;
  };
}

/** A path as the user would type it where the command was started. */
export function displayPath(path: string): string {
  const short = relative(callerDirectory(), path);
  return short === '' || short.startsWith('..') ? path : short;
}
