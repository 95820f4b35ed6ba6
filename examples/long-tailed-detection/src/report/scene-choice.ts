/** Which test scenes a report shows: by a rule that knows only how many objects each loss found. */
import type { ExperimentConfig, LossName } from '../config.ts';
import type { ImageDetections } from '../evaluation/operating-point.ts';
import type { TrainedLoss } from '../workers/tasks.ts';

/** The loss that a report is about and, where there is a second one, what it is measured against. */
export interface Comparison {
  challenger: LossName;
  rival?: LossName;
}

export function mainComparison({ losses }: Pick<ExperimentConfig, 'losses'>): Comparison {
  const challenger = losses.at(-1)!;
  const others = losses.slice(0, -1);
  const rival = others.includes('fl') ? 'fl' : others.at(-1);
  return { challenger, ...(rival && { rival }) };
}

export interface ChosenScene {
  image: number;
  reason: 'most' | 'middle' | 'fewest';
}

export interface SceneChoice extends Comparison {
  seed: number;
  /** Scenes in which the challenger finds more objects than the rival, as many, and fewer. */
  scenes: { more: number; equal: number; fewer: number };
  chosen: ChosenScene[];
}

const FROM_EACH_END = 2;

/** `results` are those of one seed. Without a rival, scenes are ordered by what was found. */
export function chooseScenes(
  config: ExperimentConfig,
  seed: number,
  results: readonly TrainedLoss[],
): SceneChoice {
  const comparison = mainComparison(config);
  const foundBy = (loss: LossName | undefined): ImageDetections[] | undefined =>
    results.find((result) => result.loss === loss)?.mostCertain;
  const rival = foundBy(comparison.rival);
  const differences = foundBy(comparison.challenger)!.map((scene, image) => ({
    image,
    difference: hits(scene) - (rival ? hits(rival[image]) : 0),
  }));
  const count = (sign: number): number =>
    differences.filter(({ difference }) => Math.sign(difference) === sign).length;
  return {
    seed,
    ...comparison,
    scenes: { more: count(1), equal: count(0), fewer: count(-1) },
    chosen: ends(differences),
  };
}

export const hits = ({ detections }: ImageDetections): number =>
  detections.filter(({ matched }) => matched).length;

/** Among equals the lower number of the image comes first, at either end. */
function ends(differences: readonly { image: number; difference: number }[]): ChosenScene[] {
  const descending = [...differences].sort((a, b) => b.difference - a.difference);
  const ascending = [...differences].sort((a, b) => a.difference - b.difference);
  const chosen: ChosenScene[] = [];
  const take = (scenes: readonly { image: number }[], reason: ChosenScene['reason']): void => {
    for (const { image } of scenes) {
      if (!chosen.some((scene) => scene.image === image)) chosen.push({ image, reason });
    }
  };
  take(descending.slice(0, FROM_EACH_END), 'most');
  take([descending[descending.length >> 1]], 'middle');
  take(ascending.slice(0, FROM_EACH_END), 'fewest');
  return chosen;
}
