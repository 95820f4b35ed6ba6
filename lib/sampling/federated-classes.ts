import { types } from 'node:util';
import { countsOf, type ClassCounts } from '../tensors/class-values';
import {
  conventionAlone,
  labelsAlone,
  rowKind,
  type Background,
  type HostLabelValues,
  type LabelConvention,
} from '../tensors/labels';
import { levelAt, levelCount, levelName } from '../tensors/levels';
import { booleanOption, checkInteger, knownOptions, numberOption, reject } from '../validation';
import { generatorOf, maxUint32, uniform } from './random';

/** Options of {@link federatedClasses}. */
export interface FederatedClassesOptions {
  /** Of each class the images (or examples) that have it: C finite numbers >= 0. Required. */
  readonly counts: ClassCounts;
  /** How many classes take part. Integer >= 1. Default 50. */
  readonly size?: number | undefined;
  /** Absent classes are drawn by count^power. Finite, >= 0. Default 0.5. */
  readonly power?: number | undefined;
  /** Which of 2^32 sequences of sets. Integer from 0 to 2^32 - 1. Default 0. */
  readonly seed?: number | undefined;
  /**
   * Which set of the sequence: the number of the training step, so that each step gets a set of its
   * own. Integer >= 0. Default 0.
   */
  readonly step?: number | undefined;
  /**
   * Whether background, where a row has it, takes one of the `size` places, as in detectron2: one
   * class less is drawn then. Default true.
   */
  readonly countBackground?: boolean | undefined;
  /** What the label of background is, as in the criterion. Default `'first'`. */
  readonly background?: Background | undefined;
  /** Labels of rows that count for nothing, as in the criterion. Default -1. */
  readonly ignoreIndex?: number | readonly number[] | undefined;
}

const optionNames = [
  ...['counts', 'size', 'power', 'seed', 'step'],
  ...['countBackground', 'background', 'ignoreIndex'],
];

/**
 * The classes that take part in one step of a federated loss (Zhou et al., Probabilistic Two-Stage
 * Detection, 2021; `get_fed_loss_classes` of detectron2): all that the batch has, and others, drawn
 * without replacement with a probability proportional to count^power, until there are `size`. Where
 * the batch has `size` classes or more, these alone. A class with count 0 is never drawn (unless the
 * power is 0), so there can be fewer.
 *
 * `labels` are those of all rows of the step, in any form, a list of levels included; or a set of the
 * labels that occur. The set of a step follows from labels, options and `step` alone, on every machine;
 * workers with labels of their own get sets of their own.
 *
 * ```ts
 * const classes = federatedClasses(labels, { counts: imageCounts, seed: 1, step });
 * ```
 *
 * @returns C bytes: 1 for a class that takes part, 0 for one whose logits are to be left out.
 * @throws {@link EflArgumentError} for an option, a count or a label out of its range.
 */
export function federatedClasses(
  labels: HostLabelValues | readonly HostLabelValues[] | ReadonlySet<number>,
  options: FederatedClassesOptions,
): Uint8Array {
  if (options === undefined) reject('options', 'an object with counts', options);
  const given = knownOptions('options', options, optionNames);
  const isFinite = (value: number): boolean => value >= 0 && value < Infinity;
  const least0 = 'a finite number >= 0';
  const counts = countsOf('counts', given.counts, least0, isFinite);
  const size = checkInteger('size', given.size ?? 50, 1);
  const power = numberOption('power', given.power, 0.5, least0, isFinite);
  const seed = checkInteger('seed', given.seed ?? 0, 0, maxUint32);
  const step = checkInteger('step', given.step ?? 0, 0);
  const countBackground = booleanOption('countBackground', given.countBackground, true);
  const convention = conventionAlone(given, counts.length);
  const { classes, hasBackground } = presentIn(labels, convention, counts.length);
  const places = size - (countBackground && hasBackground ? 1 : 0);
  fill(classes, places, weightsOf(counts, power), generatorOf(seed, step));
  return classes;
}

interface Present {
  readonly classes: Uint8Array;
  readonly hasBackground: boolean;
}

function presentIn(labels: unknown, convention: LabelConvention, numClasses: number): Present {
  const levels = labelsAlone(types.isSet(labels) ? [...labels] : labels);
  const classes = new Uint8Array(numClasses);
  let hasBackground = false;
  for (let level = 0; level < levelCount(levels); level++) {
    const name = levelName('labels', levels, level);
    levelAt(levels, level).forEach((label, row) => {
      const kind = rowKind(`${name}[${row}]`, label, convention, numClasses);
      if (kind === 'class') classes[label - convention.firstClass] = 1;
      hasBackground ||= kind === 'background';
    });
  }
  return { classes, hasBackground };
}

/** count^power, relative to the largest, so that none leaves the range. */
function weightsOf(counts: Float64Array, power: number): Float64Array {
  const largest = counts.reduce((most, count) => Math.max(most, count), 0) || 1;
  return counts.map((count) => (count / largest) ** power);
}

/** Draws classes without replacement until `size` take part, or none is left. */
function fill(
  classes: Uint8Array,
  size: number,
  weights: Float64Array,
  random: () => number,
): void {
  const left = weights.map((weight, j) => (classes[j] === 1 ? 0 : weight));
  for (let taken = classes.reduce((sum, is) => sum + is, 0); taken < size; taken++) {
    const drawn = draw(left, random);
    if (drawn < 0) return;
    classes[drawn] = 1;
    left[drawn] = 0;
  }
}

/** A class in proportion to its weight; -1 where none has any. */
function draw(weights: Float64Array, random: () => number): number {
  const threshold = uniform(random) * weights.reduce((sum, weight) => sum + weight, 0);
  let [reached, last] = [0, -1];
  for (let j = 0; j < weights.length; j++) {
    if (weights[j] === 0) continue;
    reached += weights[j]!;
    last = j;
    if (reached > threshold) break;
  }
  return last;
}
