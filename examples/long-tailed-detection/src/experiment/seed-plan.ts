/** What a seed decides: which things are the classes, how frequent each is, and the scenes. */
import type { ExperimentConfig } from '../config.ts';
import { balancedCounts, groupOf, longTailedCounts } from '../data/counts.ts';
import { Random } from '../data/random.ts';
import type { SceneRecipe, SceneSet } from '../data/scenes.ts';

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

const EXAMPLES = 4;

/** Test images for the report: the first few in which there is a rare and a more frequent thing. */
export function chooseExamples(plan: SeedPlan, test: SceneSet): number[] {
  const chosen: number[] = [];
  for (let image = 0; image < test.images && chosen.length < EXAMPLES; image++) {
    const groups = test.objects
      .filter((object) => object.image === image)
      .map((object) => groupOf(plan.groupCounts[object.classIndex]));
    if (groups.includes('rare') && groups.some((group) => group !== 'rare')) chosen.push(image);
  }
  return chosen;
}
