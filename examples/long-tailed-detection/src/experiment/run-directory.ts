/** Files of one run, all below one directory. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { ExperimentConfig, LossName } from '../config.ts';
import { UsageError } from '../errors.ts';
import { writeFileAtomically, writeJson } from '../io/files.ts';
import { loadTensors } from '../io/safetensors.ts';
import type { TrainedLoss, TrainingFiles } from '../workers/tasks.ts';

const FORMAT = 2;

interface RunRecord {
  format: number;
  created: string;
  config: ExperimentConfig;
}

export class RunDirectory {
  readonly path: string;
  readonly created: string;
  readonly config: ExperimentConfig;

  private constructor(path: string, { created, config }: RunRecord) {
    this.path = path;
    this.created = created;
    this.config = config;
  }

  static create(path: string, config: ExperimentConfig): RunDirectory {
    if (existsSync(path) && readdirSync(path).length > 0) {
      throw new UsageError(`${path} is not empty: choose another --out, or --resume ${path}`);
    }
    const record = { format: FORMAT, created: new Date().toISOString(), config };
    try {
      mkdirSync(path, { recursive: true });
      writeJson(join(path, 'run.json'), record);
    } catch (error) {
      throw new UsageError(`cannot write to ${path}: ${(error as Error).message}`);
    }
    return new RunDirectory(path, record);
  }

  static open(path: string): RunDirectory {
    const file = join(path, 'run.json');
    if (!existsSync(file)) throw new UsageError(`nothing to resume: ${file} does not exist`);
    let record: RunRecord;
    try {
      record = JSON.parse(readFileSync(file, 'utf8')) as RunRecord;
    } catch {
      throw new UsageError(`cannot resume: ${file} is damaged`);
    }
    if (record.format !== FORMAT) {
      throw new UsageError(`cannot resume: ${file} was written by another version of this example`);
    }
    const directory = new RunDirectory(path, record);
    directory.verifyCheckpoints();
    return directory;
  }

  get metricsFile(): string {
    return join(this.path, 'metrics.json');
  }

  get reportFile(): string {
    return join(this.path, 'report.html');
  }

  get tensorboardDirectory(): string {
    return join(this.path, 'tensorboard');
  }

  trainingFiles(loss: LossName, seed: number): TrainingFiles {
    const name = `${loss}-seed${seed}`;
    const criterion = join(this.path, 'criterion');
    mkdirSync(criterion, { recursive: true });
    return {
      checkpoint: join(this.path, 'checkpoints', `${name}.safetensors`),
      criterionState: join(criterion, `${name}.safetensors`),
      tensorboard: join(this.tensorboardDirectory, name),
    };
  }

  /** Finds a damaged checkpoint before any work is done. */
  private verifyCheckpoints(): void {
    for (const loss of this.config.losses) {
      for (const seed of this.config.seeds) {
        const { checkpoint } = this.trainingFiles(loss, seed);
        if (!existsSync(checkpoint)) continue;
        try {
          loadTensors(checkpoint);
        } catch (error) {
          throw new UsageError(`cannot resume: ${(error as Error).message}`);
        }
      }
    }
  }

  /** The result of a loss whose training is complete, or undefined. */
  result(loss: LossName, seed: number): TrainedLoss | undefined {
    const file = this.resultFile(loss, seed);
    if (!existsSync(file)) return undefined;
    return JSON.parse(readFileSync(file, 'utf8')) as TrainedLoss;
  }

  saveResult(result: TrainedLoss): void {
    writeFileAtomically(this.resultFile(result.loss, result.seed), JSON.stringify(result));
  }

  private resultFile(loss: LossName, seed: number): string {
    return join(this.path, 'results', `${loss}-seed${seed}.json`);
  }
}
