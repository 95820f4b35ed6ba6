/**
 * Image counts shaped like LVIS v1.
 *
 * LVIS calls a category rare with 1-10 training images, common with 11-100 and frequent with more:
 * 337, 461 and 405 of its 1,203 categories. The counts here are read off that curve at evenly spaced
 * ranks. Only the quantiles below are kept, joined by straight lines in log(count); the two group
 * borders are quantiles too, which makes the group shares exact for any number of classes
 * (120 classes: 40 frequent, 46 common, 34 rare).
 */
export type Group = 'rare' | 'common' | 'frequent';

/** From the tail to the head, the order in which LVIS results are reported. */
export const GROUPS: readonly Group[] = ['rare', 'common', 'frequent'];

export const RARE_LIMIT = 10;
export const COMMON_LIMIT = 100;

/** [share of the categories with more images than this, images per category], most frequent first. */
const LVIS_QUANTILES: readonly (readonly [number, number])[] = [
  [0, 1977],
  [0.1, 1402],
  [0.25, 221],
  [405 / 1203, COMMON_LIMIT + 0.5],
  [0.5, 37],
  [866 / 1203, RARE_LIMIT + 0.5],
  [0.75, 9],
  [0.9, 3],
  [1, 1],
];

export function groupOf(images: number): Group {
  if (images <= RARE_LIMIT) return 'rare';
  return images <= COMMON_LIMIT ? 'common' : 'frequent';
}

/** Images of the LVIS category at a share in [0, 1] of the ranking, 0 being the most frequent one. */
export function lvisImagesAt(share: number): number {
  const upper = LVIS_QUANTILES.findIndex(([quantile]) => quantile >= share);
  const [highShare, highCount] = LVIS_QUANTILES[upper];
  if (upper === 0) return highCount;
  const [lowShare, lowCount] = LVIS_QUANTILES[upper - 1];
  const weight = (share - lowShare) / (highShare - lowShare);
  return Math.exp((1 - weight) * Math.log(lowCount) + weight * Math.log(highCount));
}

/**
 * Images per class, most frequent first. Rare and common counts are those of LVIS; above 100 the
 * excess is compressed by a square root so that an epoch takes seconds, which keeps the order and
 * the groups.
 */
export function longTailedCounts(classes: number): number[] {
  return Array.from({ length: classes }, (_, rank) => {
    const images = lvisImagesAt((rank + 0.5) / classes);
    if (images <= COMMON_LIMIT + 0.5) return Math.round(images);
    return Math.max(COMMON_LIMIT + 1, Math.round(COMMON_LIMIT * Math.sqrt(images / COMMON_LIMIT)));
  });
}

/** The same number of objects spread evenly: the control in which there is nothing to equalise. */
export function balancedCounts(classes: number): number[] {
  const longTailed = longTailedCounts(classes);
  const total = longTailed.reduce((sum, images) => sum + images, 0);
  return longTailed.map(() => Math.round(total / classes));
}
