import { types } from 'node:util';
import { listOf, reject } from '../validation';
import { isIntegerArray, type IntegerArray } from './labels';
import { newFloat64Array } from './new-arrays';

/** One number for each class. */
export type ClassValues = readonly number[] | Float32Array | Float64Array;

export function isClassValues(value: unknown): value is ClassValues {
  return types.isFloat32Array(value) || types.isFloat64Array(value) || Array.isArray(value);
}

/** One number for each class, copied; `expected` tells what each may be, which core checks. */
export function classValues(
  argument: string,
  value: unknown,
  numClasses: number,
  expected: string,
): readonly number[] {
  if (!isClassValues(value)) reject(argument, 'an array of numbers, one for each class', value);
  const values = listOf(value, numClasses);
  if (values?.length !== numClasses) {
    reject(argument, `${numClasses} values, one for each class`, value);
  }
  values.forEach((number, index) => {
    if (typeof number !== 'number') reject(`${argument}[${index}]`, expected, number);
  });
  return Object.freeze(values as number[]);
}

/** One number for each class, also of a type that holds integers: counts of a data set. */
export type ClassCounts = ClassValues | IntegerArray;

/** Criteria have no more. */
const mostClasses = 2 ** 24;

/** A number for each class, at least one, copied; the first says how many classes there are. */
export function countsOf(
  argument: string,
  value: unknown,
  expected: string,
  check: (count: number) => boolean,
): Float64Array {
  if (!isClassValues(value) && !isIntegerArray(value)) {
    reject(argument, 'an array of numbers, one for each class', value);
  }
  const list = listOf(value, mostClasses);
  if (!list || list.length === 0) {
    reject(argument, `an array of numbers, one for each of 1 to ${mostClasses} classes`, value);
  }
  const counts = newFloat64Array(list.length);
  list.forEach((given, j) => {
    const count = typeof given === 'bigint' ? Number(given) : given;
    if (typeof count !== 'number' || !Number.isFinite(count) || !check(count)) {
      reject(`${argument}[${j}]`, expected, given);
    }
    counts[j] = count;
  });
  return counts;
}
