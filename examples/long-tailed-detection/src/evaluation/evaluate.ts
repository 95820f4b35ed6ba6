/** The figures of a trained head on the test scenes, per class. */
import { AP_NAMES, detectionCaps, type ApName } from '../config.ts';
import { cellAt } from '../data/geometry.ts';
import type { SceneObject } from '../data/scenes.ts';
import { averagePrecision } from './average-precision.ts';
import { detect, type Detection } from './detections.ts';

export interface TestObjects {
  images: number;
  objects: readonly SceneObject[];
  /** Images whose detections are kept for the report. */
  examples: readonly number[];
}

export interface ClassFigures extends Record<ApName, number> {
  /** Mean score of the right class at the cells of its objects. */
  trueClassScore: number;
  /** Share of its objects where no other class scores higher. */
  topOne: number;
}

export interface ExampleDetections {
  image: number;
  detections: Detection[];
}

export interface Evaluation {
  perClass: ClassFigures[];
  examples: ExampleDetections[];
}

const DETECTIONS_PER_EXAMPLE = 5;

/** Scores of one image (CELLS x classes) on demand, so that not all are in memory. */
export type ScoreSource = (image: number) => Float32Array;

export function evaluate(scoresOf: ScoreSource, classes: number, test: TestObjects): Evaluation {
  const objectsByImage = Array.from({ length: test.images }, (): SceneObject[] => []);
  for (const object of test.objects) objectsByImage[object.image].push(object);
  const found = Array.from({ length: classes }, (): Detection[] => []);
  const atObjects = new ObjectScores(classes);
  const examples: ExampleDetections[] = [];
  for (const [image, objects] of objectsByImage.entries()) {
    const scores = scoresOf(image);
    const detections = detect(scores, classes, objects);
    for (const detection of detections) found[detection.classIndex].push(detection);
    for (const object of objects) atObjects.add(scores, object);
    if (test.examples.includes(image)) {
      examples.push({ image, detections: detections.slice(0, DETECTIONS_PER_EXAMPLE) });
    }
  }
  const caps = detectionCaps(classes);
  const perClass = found.map((detections, classIndex) => ({
    ...precisionAtCaps(detections, atObjects.objects[classIndex], caps),
    ...atObjects.figures(classIndex),
  }));
  return { perClass, examples };
}

function precisionAtCaps(
  detections: readonly Detection[],
  objects: number,
  caps: Record<ApName, number>,
): Record<ApName, number> {
  const figures = AP_NAMES.map((name): [ApName, number] => {
    const kept = detections.filter(({ rank }) => rank < caps[name]);
    return [name, averagePrecision(kept, objects)];
  });
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
