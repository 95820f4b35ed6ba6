/** From scores per cell and class to detections, and which of them hit an object. */
import { cellCentre, CELLS, NEIGHBOURS, STRIDE } from '../data/geometry.ts';
import type { SceneObject } from '../data/scenes.ts';

export interface Detection {
  classIndex: number;
  score: number;
  x: number;
  y: number;
  /** Place among the detections of its image, 0 being the most certain one. */
  rank: number;
  /** Whether it is the most certain one on an object of its class. */
  matched: boolean;
}

/** Scores of one image: CELLS x classes. */
export function detect(
  scores: Float32Array,
  classes: number,
  objects: readonly SceneObject[],
): Detection[] {
  const detections: Detection[] = [];
  for (let cell = 0; cell < CELLS; cell++) {
    const { x, y } = cellCentre(cell);
    for (let classIndex = 0; classIndex < classes; classIndex++) {
      if (!isPeak(scores, classes, cell, classIndex)) continue;
      const score = scores[cell * classes + classIndex];
      detections.push({ classIndex, score, x, y, rank: 0, matched: false });
    }
  }
  detections.sort((a, b) => b.score - a.score);
  detections.forEach((detection, rank) => (detection.rank = rank));
  matchObjects(detections, objects);
  return detections;
}

/** The suppression step: a cell counts where no neighbour scores higher in the same class. */
function isPeak(scores: Float32Array, classes: number, cell: number, classIndex: number): boolean {
  const score = scores[cell * classes + classIndex];
  return NEIGHBOURS[cell].every((neighbour) => {
    const other = scores[neighbour * classes + classIndex];
    return other < score || (other === score && neighbour > cell);
  });
}

/** In order of score, each detection takes the nearest free object of its class within one stride. */
function matchObjects(detections: readonly Detection[], objects: readonly SceneObject[]): void {
  const free = new Set(objects);
  for (const detection of detections) {
    if (free.size === 0) return;
    let nearest: SceneObject | undefined;
    let least = STRIDE;
    for (const object of free) {
      if (object.classIndex !== detection.classIndex) continue;
      const distance = Math.max(Math.abs(object.x - detection.x), Math.abs(object.y - detection.y));
      if (distance <= least) [nearest, least] = [object, distance];
    }
    if (nearest) {
      free.delete(nearest);
      detection.matched = true;
    }
  }
}
