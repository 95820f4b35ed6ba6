/** Runs what is missing of an experiment: all of it at first, the rest when resumed. */
import { LOSS_TITLES, type ExperimentConfig, type LossName } from '../config.ts';
import { loadClassSplit } from '../data/class-split.ts';
import { loadSprites, spritesAreCached, type SpriteSheet } from '../data/sprites.ts';
import { InterruptedError } from '../errors.ts';
import type { ProgressDisplay } from '../terminal/progress.ts';
import type { TrainedLoss } from '../workers/tasks.ts';
import { WorkerPool } from '../workers/pool.ts';
import { prepareSeed, type SeedData } from './prepare.ts';
import type { RunDirectory } from './run-directory.ts';
import { planSeed, type SeedPlan } from './seed-plan.ts';

/** All results, or undefined when stopped before the end. */
export async function runExperiment(
  directory: RunDirectory,
  pool: WorkerPool,
  progress: ProgressDisplay,
): Promise<TrainedLoss[] | undefined> {
  const { config } = directory;
  const names = loadClassSplit().targetPool;
  const remaining = config.seeds.filter((seed) => missingLosses(directory, seed).length > 0);
  try {
    const sheet = remaining.length > 0 ? await drawings(names, progress) : undefined;
    // As many seeds at a time as there are workers: each holds its features in memory.
    await forEachLimited(remaining, pool.size, async (seed) => {
      if (pool.stopped) throw new InterruptedError();
      await runSeed(directory, seed, sheet!, pool, progress);
    });
  } catch (error) {
    if (pool.stopped) return undefined;
    throw error;
  }
  if (pool.stopped) return undefined;
  return config.losses.flatMap((loss) => config.seeds.map((seed) => directory.result(loss, seed)!));
}

function missingLosses(directory: RunDirectory, seed: number): LossName[] {
  return directory.config.losses.filter((loss) => !directory.result(loss, seed));
}

async function drawings(names: string[], progress: ProgressDisplay): Promise<SpriteSheet> {
  if (spritesAreCached(names)) return loadSprites(names);
  const bar = progress.begin('drawings (first use)');
  const sheet = await loadSprites(names, (done) => {
    bar.update(done, names.length);
  });
  bar.finish(`${names.length} things by ${sheet.vendors} vendors`);
  return sheet;
}

async function runSeed(
  directory: RunDirectory,
  seed: number,
  sheet: SpriteSheet,
  pool: WorkerPool,
  progress: ProgressDisplay,
): Promise<void> {
  const { config } = directory;
  const label = config.seeds.length > 1 ? `seed ${seed}: ` : '';
  const plan = planSeed(config, seed, sheet.names.length);
  const data = await prepareSeed(pool, sheet, plan, label, progress);
  await Promise.all(
    missingLosses(directory, seed).map((loss) =>
      trainOne({ directory, seed, loss, plan, data, pool, progress, label, config }),
    ),
  );
}

interface TrainingJob {
  directory: RunDirectory;
  config: ExperimentConfig;
  seed: number;
  loss: LossName;
  plan: SeedPlan;
  data: SeedData;
  pool: WorkerPool;
  progress: ProgressDisplay;
  label: string;
}

async function trainOne(job: TrainingJob): Promise<void> {
  const { directory, config, seed, loss, plan, data, pool, progress, label } = job;
  const title = `${label}${LOSS_TITLES[loss]}`;
  let bar: ReturnType<ProgressDisplay['begin']> | undefined;
  let started = 0;
  const result = await pool.trainLoss(
    {
      loss,
      seed,
      config,
      counts: plan.groupCounts,
      data: data.training,
      test: data.test,
      files: directory.trainingFiles(loss, seed),
    },
    ({ done, total, detail }) => {
      // The bar appears when the work begins, not while it waits for a worker.
      if (!bar) {
        started = performance.now();
        bar = progress.begin(title);
      }
      bar.update(done, total, detail);
    },
  );
  if (!result) return;
  directory.saveResult(result);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  bar?.finish(`done after ${seconds} s`);
}

async function forEachLimited<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const lane = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
}
