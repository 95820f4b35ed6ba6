/**
 * Average precision against training length (`npm run study`): cross-entropy, Focal Loss and Equalized
 * Focal Loss at each length, over seeds, each loss with the learning rate that suits it. The rates are
 * chosen from one grid for all losses, on seeds that are not used for anything else. What is there
 * already is not trained again, so an interrupted study goes on where it was.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { AP_NAMES, DEFAULT_CONFIG, LOSS_NAMES, type ApName, type LossName } from './config.ts';
import { loadClassSplit } from './data/class-split.ts';
import { GROUPS, type Group } from './data/counts.ts';
import { loadSprites, type SpriteSheet } from './data/sprites.ts';
import { groupMeans } from './evaluation/groups.ts';
import { prepareSeed, type SeedData } from './experiment/prepare.ts';
import { planSeed, type SeedPlan } from './experiment/seed-plan.ts';
import { writeJson } from './io/files.ts';
import { callerDirectory } from './paths.ts';
import { environment } from './report/metrics.ts';
import { createProgress, type ProgressDisplay } from './terminal/progress.ts';
import { WorkerPool } from './workers/pool.ts';

const RATES = [0.05, 0.1, 0.2, 0.3, 0.5];
const TUNING_SEEDS = [41, 42];
/** Rates are chosen at these lengths; another length takes those of the nearest one below it. */
const TUNING_EPOCHS = [3, 12];
const SEEDS = [21, 22, 23, 24, 25];
const EPOCHS = [3, 6, 12, 24, 48];

type Means = Record<ApName, Record<Group | 'all', number>>;

interface Trial {
  loss: LossName;
  seed: number;
  epochs: number;
  rate: number;
}

interface TrialResult extends Trial {
  /** Average precision in %. */
  ap: Means;
  /** Mean of g_j over the classes of a group at the end; Equalized Focal Loss alone has it. */
  gradientRatio?: Record<Group | 'all', number>;
}

class Study {
  private readonly directory: string;
  private readonly pool: WorkerPool;
  private readonly sheet: SpriteSheet;
  private readonly progress: ProgressDisplay;

  constructor(directory: string, pool: WorkerPool, sheet: SpriteSheet, progress: ProgressDisplay) {
    this.directory = directory;
    this.pool = pool;
    this.sheet = sheet;
    this.progress = progress;
  }

  /** The results of these trials, all of one seed, which shares the scenes and their features. */
  async runSeed(seed: number, trials: readonly Trial[]): Promise<TrialResult[]> {
    const plan = planSeed(DEFAULT_CONFIG, seed, this.sheet.names.length);
    const isMissing = trials.some((trial) => !existsSync(this.file(trial)));
    const label = `seed ${seed}: `;
    const data = isMissing
      ? await prepareSeed(this.pool, this.sheet, plan, label, this.progress)
      : undefined;
    // The longest first, so that no core waits for a long one at the end.
    const order = [...trials].sort((a, b) => b.epochs - a.epochs);
    return Promise.all(order.map((trial) => this.run(trial, plan, data)));
  }

  private async run(trial: Trial, plan: SeedPlan, data?: SeedData): Promise<TrialResult> {
    const file = this.file(trial);
    if (!existsSync(file)) writeJson(file, await this.train(trial, plan, data!));
    return JSON.parse(readFileSync(file, 'utf8')) as TrialResult;
  }

  private async train(trial: Trial, plan: SeedPlan, data: SeedData): Promise<TrialResult> {
    const { loss, seed, epochs, rate } = trial;
    const base = this.path(trial);
    mkdirSync(base, { recursive: true });
    const learningRates = { ...DEFAULT_CONFIG.learningRates, [loss]: rate };
    const files = {
      checkpoint: join(base, 'checkpoint.safetensors'),
      criterionState: join(base, 'criterion.safetensors'),
      tensorboard: join(base, 'tensorboard'),
    };
    const result = await this.pool.trainLoss(
      {
        ...{ loss, seed, files, counts: plan.groupCounts },
        config: { ...DEFAULT_CONFIG, epochs, learningRates },
        ...{ data: data.training, test: data.test },
      },
      () => undefined,
    );
    if (!result) throw new Error('the study was stopped');
    const ap = AP_NAMES.map((name) => [
      name,
      groupMeans(
        result.perClass.map((figures) => 100 * figures[name]),
        plan.groupCounts,
      ),
    ]);
    const ratio = result.gradientRatio;
    return {
      ...trial,
      ap: Object.fromEntries(ap) as Means,
      ...(ratio && { gradientRatio: groupMeans(ratio, plan.groupCounts) }),
    };
  }

  private path({ loss, seed, epochs, rate }: Trial): string {
    return join(this.directory, 'trials', `${loss}-seed${seed}-epochs${epochs}-rate${rate}`);
  }

  private file(trial: Trial): string {
    return join(this.path(trial), 'result.json');
  }
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The rate with the best mean AP over all classes at a length, for each loss. */
function bestRates(results: readonly TrialResult[], epochs: number): Record<LossName, number> {
  const score = (loss: LossName, rate: number): number =>
    mean(
      results
        .filter((r) => r.loss === loss && r.epochs === epochs && r.rate === rate)
        .map((r) => r.ap.apBudget.all),
    );
  const best = LOSS_NAMES.map((loss): [LossName, number] => [
    loss,
    RATES.reduce((a, b) => (score(loss, b) > score(loss, a) ? b : a)),
  ]);
  return Object.fromEntries(best) as Record<LossName, number>;
}

async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R[]>): Promise<R[]> {
  const all: R[] = [];
  for (const item of items) all.push(...(await work(item)));
  return all;
}

const { values: options } = parseArgs({
  options: { out: { type: 'string', default: 'runs/study' }, workers: { type: 'string' } },
});
const directory = resolve(callerDirectory(), options.out);
mkdirSync(directory, { recursive: true });
process.env['EFL_NUM_THREADS'] ??= '1';
const pool = new WorkerPool(Number(options.workers ?? availableParallelism()));
const progress = createProgress();
const study = new Study(directory, pool, await loadSprites(loadClassSplit().targetPool), progress);

const tuning = await inTurn(TUNING_SEEDS, (seed) =>
  study.runSeed(
    seed,
    TUNING_EPOCHS.flatMap((epochs) =>
      LOSS_NAMES.flatMap((loss) => RATES.map((rate) => ({ loss, seed, epochs, rate }))),
    ),
  ),
);
const rates = EPOCHS.map((epochs) => {
  const tunedAt = Math.max(...TUNING_EPOCHS.filter((length) => length <= epochs));
  return { epochs, tunedAt, rates: bestRates(tuning, tunedAt) };
});
const results = await inTurn(SEEDS, (seed) =>
  study.runSeed(
    seed,
    rates.flatMap(({ epochs, rates }) =>
      LOSS_NAMES.map((loss) => ({ loss, seed, epochs, rate: rates[loss] })),
    ),
  ),
);
progress.close();
await pool.close();
writeJson(join(directory, 'study.json'), {
  created: new Date().toISOString(),
  environment: environment(),
  ...{ seeds: SEEDS, groups: GROUPS, rates, tuning, results },
});
console.log(`Wrote ${join(directory, 'study.json')}`);
