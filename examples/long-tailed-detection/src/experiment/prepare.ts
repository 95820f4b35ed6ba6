/** Scenes of a seed and the frozen backbone's features of them, made by all workers together. */
import { CELLS } from '../data/geometry.ts';
import type { SceneSet } from '../data/scenes.ts';
import type { SpriteSheet } from '../data/sprites.ts';
import { FEATURES } from '../model/feature-size.ts';
import type { ProgressDisplay } from '../terminal/progress.ts';
import type { TrainingData } from '../training/sampler.ts';
import type { WorkerPool } from '../workers/pool.ts';
import type { TestData } from '../workers/tasks.ts';
import type { SeedPlan } from './seed-plan.ts';

export interface SeedData {
  training: TrainingData;
  test: TestData;
}

interface FeatureJob {
  scenes: SceneSet;
  mirrored: boolean;
  features: Float32Array;
}

/** Images per task: small enough to spread over the workers, large enough to be worth a message. */
const IMAGES_PER_TASK = 512;

export async function prepareSeed(
  pool: WorkerPool,
  sheet: SpriteSheet,
  plan: SeedPlan,
  label: string,
  progress: ProgressDisplay,
): Promise<SeedData> {
  const scenesBar = progress.begin(`${label}scenes`);
  const [training, test] = await Promise.all([
    pool.drawScenes({ sheet, recipe: plan.training }),
    pool.drawScenes({ sheet, recipe: plan.test }),
  ]);
  scenesBar.finish(`${training.images} for training, ${test.images} for testing`);

  const jobs = [
    featureJob(training, false),
    featureJob(training, true),
    featureJob(test, false),
  ] as const;
  await extractAll(pool, jobs, `${label}features`, progress);
  const [plain, mirrored, testFeatures] = jobs.map((job) => job.features);
  return {
    training: { images: training.images, labels: training.labels, plain, mirrored },
    test: { images: test.images, objects: test.objects, features: testFeatures },
  };
}

function featureJob(scenes: SceneSet, mirrored: boolean): FeatureJob {
  const bytes = scenes.images * CELLS * FEATURES * Float32Array.BYTES_PER_ELEMENT;
  return { scenes, mirrored, features: new Float32Array(new SharedArrayBuffer(bytes)) };
}

async function extractAll(
  pool: WorkerPool,
  jobs: readonly FeatureJob[],
  label: string,
  progress: ProgressDisplay,
): Promise<void> {
  const total = jobs.reduce((sum, { scenes }) => sum + scenes.images, 0);
  const bar = progress.begin(label);
  const doneByTask = new Map<string, number>();
  const tasks = jobs.flatMap(({ scenes, mirrored, features }) => {
    const starts = Array.from(
      { length: Math.ceil(scenes.images / IMAGES_PER_TASK) },
      (_, i) => i * IMAGES_PER_TASK,
    );
    return starts.map((from) => {
      const to = Math.min(scenes.images, from + IMAGES_PER_TASK);
      return pool.extractFeatures(
        { pixels: scenes.pixels, from, to, mirrored, features },
        ({ id, done }) => {
          doneByTask.set(id, done);
          bar.update(
            [...doneByTask.values()].reduce((sum, n) => sum + n, 0),
            total,
          );
        },
      );
    });
  });
  await Promise.all(tasks);
  bar.finish(`${total} images`);
}
