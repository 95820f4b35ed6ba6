/** COCO's average precision: precision made monotone, read at 101 recall points. */
export interface ScoredHit {
  score: number;
  matched: boolean;
}

const RECALL_POINTS = 101;

/** In [0, 1], for the detections of one class in all images and its number of objects. */
export function averagePrecision(hits: readonly ScoredHit[], objects: number): number {
  if (objects === 0) return 0;
  const sorted = [...hits].sort((a, b) => b.score - a.score);
  const precision: number[] = [];
  const recall: number[] = [];
  let found = 0;
  for (const [i, { matched }] of sorted.entries()) {
    if (matched) found++;
    precision.push(found / (i + 1));
    recall.push(found / objects);
  }
  for (let i = precision.length - 2; i >= 0; i--) {
    precision[i] = Math.max(precision[i], precision[i + 1]);
  }
  let sum = 0;
  let i = 0;
  for (let point = 0; point < RECALL_POINTS; point++) {
    // The tolerance keeps recalls such as 7 / 20 at the point they stand for.
    while (i < recall.length && recall[i] < point / (RECALL_POINTS - 1) - 1e-12) i++;
    if (i === recall.length) break;
    sum += precision[i];
  }
  return sum / RECALL_POINTS;
}
