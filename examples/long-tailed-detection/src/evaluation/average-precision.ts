/** COCO's average precision: precision made monotone, read at 101 recall points. */
export interface ScoredHit {
  score: number;
  matched: boolean;
}

const RECALL_POINTS = 101;

/** In [0, 1], for the detections of one class in all images and its number of objects. */
export function averagePrecision(hits: readonly ScoredHit[], objects: number): number {
  if (objects === 0) return 0;
  const curve = precisionCurve(placesOfHits(hits), objects);
  let sum = 0;
  let i = 0;
  for (let point = 0; point < RECALL_POINTS; point++) {
    // The tolerance keeps recalls such as 7 / 20 at the point they stand for.
    while (i < curve.length && curve[i].recall < point / (RECALL_POINTS - 1) - 1e-12) i++;
    if (i === curve.length) break;
    sum += curve[i].precision;
  }
  return sum / RECALL_POINTS;
}

/** Places of the hits, counted from 1, among the detections of a class from the most certain one on. */
export function placesOfHits(hits: readonly ScoredHit[]): number[] {
  const sorted = [...hits].sort((a, b) => b.score - a.score);
  return sorted.flatMap(({ matched }, i) => (matched ? [i + 1] : []));
}

export interface CurvePoint {
  recall: number;
  /** The best one at this recall or a higher one, which makes the curve monotone. */
  precision: number;
}

/** One point for each hit. Recall changes nowhere else, and precision falls between them. */
export function precisionCurve(places: readonly number[], objects: number): CurvePoint[] {
  const curve = places.map((place, i) => ({
    recall: (i + 1) / objects,
    precision: (i + 1) / place,
  }));
  for (let i = curve.length - 2; i >= 0; i--) {
    curve[i].precision = Math.max(curve[i].precision, curve[i + 1].precision);
  }
  return curve;
}
