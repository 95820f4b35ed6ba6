/** The figures of a trained head on the test scenes, per class. */
import { AP_NAMES, detectionCaps, type ApName } from '../config.ts';
import { cellAt } from '../data/geometry.ts';
import type { SceneObject } from '../data/scenes.ts';
import { averagePrecision, placesOfHits } from './average-precision.ts';
import { detect, type Detection } from './detections.ts';
import { foundByClass, mostCertain, type ImageDetections } from './operating-point.ts';

export interface TestObjects {
  images: number;
  objects: readonly SceneObject[];
}

export interface ClassFigures extends Record<ApName, number> {
  /** Objects of the class in the test scenes. */
  objects: number;
  /** Places of the hits in the class's ranking under the main cap, from which its curve is drawn. */
  hits: number[];
  /** Share of its objects found where a loss makes as many detections as there are objects. */
  found: number;
  /** Mean score of the right class at the cells of its objects. */
  trueClassScore: number;
  /** Share of its objects where no other class scores higher. */
  topOne: number;
}

export interface Evaluation {
  perClass: ClassFigures[];
  /** The most certain detections, as many as there are objects; one entry for each test scene. */
  mostCertain: ImageDetections[];
}

/** Scores of one image (CELLS x classes) on demand, so that not all are in memory. */
export type ScoreSource = (image: number) => Float32Array;

export function evaluate(scoresOf: ScoreSource, classes: number, test: TestObjects): Evaluation {
  const objectsByImage = Array.from({ length: test.images }, (): SceneObject[] => []);
  for (const object of test.objects) objectsByImage[object.image].push(object);
  const atObjects = new ObjectScores(classes);
  const byImage = objectsByImage.map((objects, image) => {
    const scores = scoresOf(image);
    for (const object of objects) atObjects.add(scores, object);
    return detect(scores, classes, objects);
  });
  const chosen = mostCertain(byImage, test.objects.length);
  const found = foundByClass(chosen, classes);
  const caps = detectionCaps(classes);
  const perClass = byClass(byImage, classes).map((detections, classIndex) => {
    const objects = atObjects.objects[classIndex];
    return {
      ...precisionAtCaps(detections, objects, caps),
      objects,
      hits: placesOfHits(within(detections, caps.apBudget)),
      found: found[classIndex] / Math.max(1, objects),
      ...atObjects.figures(classIndex),
    };
  });
  return { perClass, mostCertain: chosen };
}

function byClass(byImage: readonly Detection[][], classes: number): Detection[][] {
  const found = Array.from({ length: classes }, (): Detection[] => []);
  for (const detections of byImage) {
    for (const detection of detections) found[detection.classIndex].push(detection);
  }
  return found;
}

const within = (detections: readonly Detection[], cap: number): Detection[] =>
  detections.filter(({ rank }) => rank < cap);

function precisionAtCaps(
  detections: readonly Detection[],
  objects: number,
  caps: Record<ApName, number>,
): Record<ApName, number> {
  const figures = AP_NAMES.map((name): [ApName, number] => [
    name,
    averagePrecision(within(detections, caps[name]), objects),
  ]);
  return Object.fromEntries(figures) as Record<ApName, number>;
}

/** What the head says at the very cells of the objects. */
class ObjectScores {
  readonly objects: number[];
  private readonly scoreSums: number[];
  private readonly wins: number[];
  private readonly classes: number;

  constructor(classes: number) {
    this.classes = classes;
    this.objects = new Array<number>(classes).fill(0);
    this.scoreSums = new Array<number>(classes).fill(0);
    this.wins = new Array<number>(classes).fill(0);
  }

  add(scores: Float32Array, { x, y, classIndex }: SceneObject): void {
    const begin = cellAt(x, y) * this.classes;
    const cell = scores.subarray(begin, begin + this.classes);
    this.objects[classIndex]++;
    this.scoreSums[classIndex] += cell[classIndex];
    if (cell.every((score) => score <= cell[classIndex])) this.wins[classIndex]++;
  }

  figures(classIndex: number): Pick<ClassFigures, 'trueClassScore' | 'topOne'> {
    const objects = Math.max(1, this.objects[classIndex]);
    return {
      trueClassScore: this.scoreSums[classIndex] / objects,
      topOne: this.wins[classIndex] / objects,
    };
  }
}
