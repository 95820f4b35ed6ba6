/** A run whose losses were never trained: scores are drawn, all that comes after them is real. */
import { DEFAULT_CONFIG, type ExperimentConfig, type LossName } from '../src/config.ts';
import { loadClassSplit } from '../src/data/class-split.ts';
import { cellAt, CELLS } from '../src/data/geometry.ts';
import { Random } from '../src/data/random.ts';
import { makeScenes, type SceneSet } from '../src/data/scenes.ts';
import { loadSprites } from '../src/data/sprites.ts';
import { evaluate } from '../src/evaluation/evaluate.ts';
import { planSeed } from '../src/experiment/seed-plan.ts';
import { spreadByGroup } from '../src/training/history.ts';
import type { TrainedLoss } from '../src/workers/tasks.ts';

export const smallConfig = (losses: LossName[], seeds: number[]): ExperimentConfig => ({
  ...DEFAULT_CONFIG,
  losses,
  seeds,
  classes: 12,
  testImagesPerClass: 4,
});

export async function madeUpRun(config: ExperimentConfig): Promise<TrainedLoss[]> {
  const names = loadClassSplit().targetPool;
  const sheet = await loadSprites(names);
  return config.losses.flatMap((loss, i) =>
    config.seeds.map((seed) => {
      const plan = planSeed(config, seed, names.length);
      const scenes = makeScenes(sheet, plan.test);
      const random = new Random(100 * seed + i);
      const figures = evaluate(scoreSource(scenes, random), config.classes, scenes);
      return { loss, seed, steps: 24, ...figures, ...training(loss, plan.groupCounts) };
    }),
  );
}

/** Half of the objects stand out from the noise. */
function scoreSource(scenes: SceneSet, random: Random): (image: number) => Float32Array {
  return (image) => {
    const scores = Float32Array.from({ length: CELLS * scenes.classes }, () => random.next() / 2);
    for (const object of scenes.objects) {
      if (object.image !== image || random.next() < 0.5) continue;
      scores[cellAt(object.x, object.y) * scenes.classes + object.classIndex] += 0.5;
    }
    return scores;
  };
}

function training(
  loss: LossName,
  counts: readonly number[],
): Pick<TrainedLoss, 'history' | 'gradientRatio' | 'focusingFactor'> {
  const ratio = counts.map((images) => images / (images + 1));
  const factor = ratio.map((g) => 2 + 4 * (1 - g));
  const spreads = {
    gamma: spreadByGroup(Float64Array.from(factor), counts),
    gradientRatio: spreadByGroup(Float64Array.from(ratio), counts),
  };
  const ofEfl = loss === 'efl';
  const curve = [8, 16, 24].map((step) => ({
    step,
    loss: 10 / step,
    learningRate: 0.1,
    ...(ofEfl && spreads),
  }));
  return {
    history: { curve, lossMilliseconds: [0.2, 0.3, 0.4], pending: { sum: 0, steps: 0 } },
    ...(ofEfl && { gradientRatio: ratio, focusingFactor: factor }),
  };
}
