import { types } from 'node:util';
import { isIntegerArray, type IntegerArray } from '../tensors/labels';
import { knownOptions, numberOption, reject } from '../validation';

/** Options of {@link repeatFactors}. */
export interface RepeatFactorOptions {
  /** t: classes in a smaller share of the images than this are repeated. In (0, 1]. Default 0.001. */
  readonly threshold?: number | undefined;
}

/**
 * Repeat factor sampling (Gupta et al., LVIS, CVPR 2019): how often each image should be seen.
 *
 *     r(c) = max(1, sqrt(t / f(c))),  r(i) = max of r(c) over the classes c in image i
 *
 * where f(c) is the share of images with class c. `imageClasses[i]` lists the classes (integers) in
 * image i, as an array, a typed array of integers or a set; naming one twice changes nothing. An image
 * without classes has factor 1.
 *
 * @returns one factor >= 1 for each image.
 */
export function repeatFactors(
  imageClasses: readonly (readonly number[] | IntegerArray | ReadonlySet<number>)[],
  options?: RepeatFactorOptions,
): Float64Array {
  const { threshold: given } = knownOptions('options', options, ['threshold']);
  const threshold = numberOption(
    'threshold',
    given,
    0.001,
    'a number in (0, 1]',
    (value) => value > 0 && value <= 1,
  );
  const images = checkImages(imageClasses);
  const counts = new Map<number, number>();
  for (const classes of images) {
    for (const label of classes) counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  const factorOf = (label: number): number =>
    Math.sqrt((threshold * images.length) / counts.get(label)!);
  return Float64Array.from(images, (classes) => {
    let factor = 1;
    for (const label of classes) factor = Math.max(factor, factorOf(label));
    return factor;
  });
}

function checkImages(imageClasses: unknown): Set<number>[] {
  if (!Array.isArray(imageClasses)) reject('imageClasses', 'an array of arrays', imageClasses);
  // Array.from also visits the holes of a sparse array.
  return Array.from(imageClasses as unknown[], (classes, image) => {
    const name = `imageClasses[${image}]`;
    const isTyped = isIntegerArray(classes);
    if (!isTyped && !Array.isArray(classes) && !types.isSet(classes)) {
      reject(name, 'an array, an array of integers or a set of classes', classes);
    }
    const labels = Array.from(classes as Iterable<unknown>, (given, place) => {
      const label = isTyped ? Number(given) : given;
      if (!Number.isSafeInteger(label)) reject(`${name}[${place}]`, 'an integer', given);
      return label as number;
    });
    return new Set(labels);
  });
}
