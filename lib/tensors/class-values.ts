import { types } from 'node:util';
import { listOf, reject } from '../validation';

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
