/** What a seed decides: which things are the classes, how frequent each is, and the scenes. */
import type { ExperimentConfig } from '../config.ts';
import { balancedCounts, longTailedCounts } from '../data/counts.ts';
import { Random } from '../data/random.ts';
import type { SceneRecipe } from '../data/scenes.ts';

export interface SeedPlan {
  /** Sprite of each class, the most frequent class first. */
  classSprites: number[];
  /** Training images per class. */
  counts: number[];
  /** Images per class in the long-tailed data: they decide the groups in balanced data as well. */
  groupCounts: number[];
  training: SceneRecipe;
  test: SceneRecipe;
}

export function planSeed(config: ExperimentConfig, seed: number, sprites: number): SeedPlan {
  const shuffled = new Random(1000 + seed).shuffle([...Array(sprites).keys()]);
  const classSprites = shuffled.slice(0, config.classes);
  const clutterSprites = shuffled.slice(config.classes);
  const groupCounts = longTailedCounts(config.classes);
  const counts = config.balanced ? balancedCounts(config.classes) : groupCounts;
  const testCounts = counts.map(() => config.testImagesPerClass);
  return {
    classSprites,
    counts,
    groupCounts,
    training: { classSprites, clutterSprites, counts, seed: seed * 7 + 1 },
    test: { classSprites, clutterSprites, counts: testCounts, seed: seed * 7 + 2 },
  };
}
