/**
 * One cut through all detections that is fair to every loss, whatever its scores mean: as many
 * detections as there are objects in all test images, the most certain ones. Precision and recall are
 * equal there.
 */
import type { Detection } from './detections.ts';

export interface ImageDetections {
  image: number;
  detections: Detection[];
}

/** `byImage` are the detections of every image, in the order of the images. */
export function mostCertain(byImage: readonly Detection[][], count: number): ImageDetections[] {
  const all = byImage.flatMap((detections, image) =>
    detections.map((detection) => ({ image, detection })),
  );
  const kept = all.sort((a, b) => b.detection.score - a.detection.score).slice(0, count);
  const chosen = byImage.map((_, image): ImageDetections => ({ image, detections: [] }));
  for (const { image, detection } of kept) chosen[image].detections.push(detection);
  return chosen;
}

/** Objects found among these detections, by class. */
export function foundByClass(chosen: readonly ImageDetections[], classes: number): number[] {
  const found = new Array<number>(classes).fill(0);
  for (const { detections } of chosen) {
    for (const { classIndex, matched } of detections) if (matched) found[classIndex]++;
  }
  return found;
}
