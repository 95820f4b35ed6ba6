/**
 * Scenes: 64 x 64 images with a few labelled things and some unlabelled clutter, and one label per
 * cell of an 8 x 8 grid, as a one-stage detector has them.
 */
import {
  BACKGROUND_LABEL,
  cellAt,
  cellCentre,
  CELLS,
  IGNORED_LABEL,
  IMAGE_SIZE,
  IMAGE_VALUES,
  labelOfClass,
  NEIGHBOURS,
} from './geometry.ts';
import { develop, paintBackground, paintThing } from './painting.ts';
import { Random } from './random.ts';
import type { SpriteSheet } from './sprites.ts';

export interface SceneObject {
  image: number;
  classIndex: number;
  x: number;
  y: number;
}

export interface SceneSet {
  readonly images: number;
  readonly classes: number;
  /** RGB, 8 bit, one image after another, in shared memory. */
  readonly pixels: Uint8Array;
  /** One label per cell, one image after another, in shared memory. */
  readonly labels: Int32Array;
  readonly objects: readonly SceneObject[];
}

export interface SceneRecipe {
  /** Sprite (index into the sheet's names) of each class. */
  classSprites: readonly number[];
  /** Sprites that may appear unlabelled. */
  clutterSprites: readonly number[];
  /** Images per class. */
  counts: readonly number[];
  seed: number;
}

const OBJECTS_PER_IMAGE = 3.5;
const MOST_OBJECTS = 7;
const MOST_CLUTTER = 2;
/** Centres keep this distance in pixels, so that no two things share a cell. */
const LEAST_DISTANCE = 13;
const MARGIN = 6;
/** Cells whose centre is this near to a thing are neither it nor background. */
const IGNORE_RADIUS = 6.5;

interface Point {
  x: number;
  y: number;
}

export function makeScenes(sheet: SpriteSheet, recipe: SceneRecipe): SceneSet {
  const random = new Random(recipe.seed);
  const contents = distributeClasses(recipe.counts, random);
  const images = contents.length;
  const pixels = new Uint8Array(new SharedArrayBuffer(images * IMAGE_VALUES));
  const labels = new Int32Array(new SharedArrayBuffer(images * CELLS * 4));
  const objects: SceneObject[] = [];
  const canvas = new Float32Array(IMAGE_VALUES);
  for (const [image, classIndices] of contents.entries()) {
    const clutter = Array.from(
      { length: random.integer(MOST_CLUTTER + 1) },
      () => recipe.clutterSprites[random.integer(recipe.clutterSprites.length)],
    );
    const sprites = [...classIndices.map((c) => recipe.classSprites[c]), ...clutter];
    const places = placeAll(classIndices.length, sprites.length, random);
    paintBackground(canvas, random);
    // Later things cover earlier ones, so the order must not depend on what is labelled.
    for (const i of random.shuffle(places.map((_, index) => index))) {
      paintThing(canvas, sheet, sprites[i], places[i].x, places[i].y, random);
    }
    develop(canvas, pixels, image * IMAGE_VALUES, random);
    const placed = classIndices.map((classIndex, i) => ({ image, classIndex, ...places[i] }));
    writeLabels(labels.subarray(image * CELLS, (image + 1) * CELLS), placed);
    objects.push(...placed);
  }
  return { images, classes: recipe.counts.length, pixels, labels, objects };
}

/** Deals the classes out to images: class c goes to counts[c] of them, at most once to each. */
function distributeClasses(counts: readonly number[], random: Random): number[][] {
  const deck = random.shuffle(counts.flatMap((n, c) => new Array<number>(n).fill(c)));
  const images = Math.max(Math.ceil(deck.length / OBJECTS_PER_IMAGE), ...counts);
  const contents = Array.from({ length: images }, (): number[] => []);
  let next = 0;
  for (const classIndex of deck) {
    let tries = 0;
    while (
      contents[next % images].includes(classIndex) ||
      contents[next % images].length >= MOST_OBJECTS
    ) {
      if (tries++ > images) throw new Error('the images are too few for these counts');
      next++;
    }
    contents[next++ % images].push(classIndex);
  }
  return contents;
}

/** Finds a place for every labelled thing, and for as much clutter as fits beside them. */
function placeAll(labelled: number, wanted: number, random: Random): Point[] {
  for (let layout = 0; layout < 1000; layout++) {
    const places: Point[] = [];
    while (places.length < wanted) {
      const place = placeOne(places, random);
      if (!place) break;
      places.push(place);
    }
    if (places.length >= labelled) return places;
  }
  throw new Error('no layout found');
}

function placeOne(taken: readonly Point[], random: Random): Point | undefined {
  for (let attempt = 0; attempt < 60; attempt++) {
    const x = random.uniform(MARGIN, IMAGE_SIZE - MARGIN);
    const y = random.uniform(MARGIN, IMAGE_SIZE - MARGIN);
    if (taken.every((other) => Math.hypot(other.x - x, other.y - y) > LEAST_DISTANCE)) {
      return { x, y };
    }
  }
  return undefined;
}

/** The cell of a centre carries the class, close neighbours are ignored, the rest is background. */
function writeLabels(labels: Int32Array, objects: readonly SceneObject[]): void {
  labels.fill(BACKGROUND_LABEL);
  for (const { x, y } of objects) {
    for (const neighbour of NEIGHBOURS[cellAt(x, y)]) {
      const centre = cellCentre(neighbour);
      if (Math.hypot(centre.x - x, centre.y - y) < IGNORE_RADIUS) labels[neighbour] = IGNORED_LABEL;
    }
  }
  for (const { x, y, classIndex } of objects) labels[cellAt(x, y)] = labelOfClass(classIndex);
}
