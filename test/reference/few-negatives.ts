/**
 * A problem with few negatives for a positive, as that of detectors with queries: a linear classifier
 * learns from 4 images of 20 rows a step, of which 1 to 3 have one of 12 classes, each 1.6 times as
 * rare as the one before. It starts at a score of 0.01, where positives have nearly all the gradient.
 */
import type { EqualizedCriterion } from '../../lib';
import { Random } from './random';

const [images, queries, features, classes] = [4, 20, 16, 12];
const rows = images * queries;
const noise = 0.35;

export const problemClasses = classes;

/** Trains with the gradients of a criterion; `seen` is called after each step, counted from 1. */
export function trainOnFewNegatives(
  criterion: EqualizedCriterion,
  steps: number,
  seen: (step: number) => void,
): void {
  const random = new Random(1);
  const prototypes = list(classes, () =>
    list(features, () => random.normal() / Math.sqrt(features)),
  );
  const weights = list(classes, () => new Float64Array(features));
  const biases = new Float64Array(classes).fill(Math.log(0.01 / 0.99));
  for (let step = 1; step <= steps; step++) {
    const { labels, inputs } = drawBatch(prototypes, random);
    const logits = new Float32Array(rows * classes);
    eachElement(inputs, (i, j, input) => {
      const ofClass = weights[j]!;
      let sum = biases[j]!;
      for (let d = 0; d < features; d++) sum += ofClass[d]! * input[d]!;
      logits[i] = sum;
    });
    const { grad } = criterion.forwardBackward(logits, labels, { normalizer: 'positives' });
    eachElement(inputs, (i, j, input) => {
      const [ofClass, slope] = [weights[j]!, grad[i]!];
      biases[j] = biases[j]! - slope;
      for (let d = 0; d < features; d++) ofClass[d] = ofClass[d]! - slope * input[d]!;
    });
    seen(step);
  }
}

function eachElement(
  inputs: readonly (readonly number[])[],
  change: (element: number, column: number, input: readonly number[]) => void,
): void {
  inputs.forEach((input, row) => {
    for (let j = 0; j < classes; j++) change(row * classes + j, j, input);
  });
}

function drawBatch(prototypes: readonly number[][], random: Random) {
  const labels = new Int32Array(rows);
  const inputs = list(rows, (row) => {
    const has = row % queries < 1 + random.integer(3);
    const input = list(features, () => noise * random.normal());
    if (!has) return input;
    const j = drawClass(random);
    labels[row] = j + 1;
    return input.map((value, d) => value + prototypes[j]![d]!);
  });
  return { labels, inputs };
}

function drawClass(random: Random): number {
  const shares = list(classes, (j) => 1.6 ** -j);
  let left = random.next() * shares.reduce((sum, share) => sum + share, 0);
  const found = shares.findIndex((share) => (left -= share) < 0);
  return found < 0 ? classes - 1 : found;
}

function list<T>(length: number, make: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => make(index));
}
