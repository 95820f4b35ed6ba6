/** Where float32 ends for the naive forms, and where gradients fall below the range of a type. */
import { focalElement } from '../reference/element';
import { firstWhere } from './bisect';
import { naiveSigmoid, naiveSoftplus } from './naive';
import { figure, tableOf } from './table';
import type { Table } from './table';

// As constants: a look at a global is slow in the sandbox of the test runner.
const { fround, log, pow } = Math;

function single(holds: (x: number) => boolean, to: number): string {
  return figure(firstWhere(holds, 0, to, fround), 6);
}

export function naiveLimits(): Table {
  const certain = (x: number): boolean => fround(1 - naiveSigmoid(x)) === 0;
  const impossible = (x: number): boolean => naiveSigmoid(x) === 0;
  const rows = [
    ['1 - p', '0 from x', single(certain, 100)],
    ['log(1 + exp(x))', 'Infinity from x', single((x) => naiveSoftplus(x) === Infinity, 200)],
    ['log(1 + exp(x))', '0 up to x', single((x) => naiveSoftplus(x) === 0, -200)],
    ['p', '0 up to x', single(impossible, -200)],
    ['p^10', '0 up to x', single((x) => fround(pow(naiveSigmoid(x), 10)) === 0, -200)],
    ['-log(p + 1e-12)', 'at most', figure(-log(1e-12), 6)],
  ];
  return tableOf(['form', 'in float32'], ['figure'], rows);
}

const SMALLEST_NORMAL = 2 ** -126;
/** Half the smallest float16, which rounds to 0. */
const HALF_OF_SMALLEST_FLOAT16 = 2 ** -25;

/** Of a negative without alpha. */
export function smallGradients(): Table {
  const below = (gamma: number, limit: number): string => {
    const small = (x: number): boolean => focalElement(x, false, gamma, 1).gradient < limit;
    return firstWhere(small, 0, -200, (x) => x).toFixed(2);
  };
  const rows = [0, 0.5, 1, 2, 5, 10].map((gamma) => [
    String(gamma),
    below(gamma, SMALLEST_NORMAL),
    below(gamma, HALF_OF_SMALLEST_FLOAT16),
  ]);
  return tableOf([], ['gamma', 'below 2^-126 up to x', 'below 2^-25 up to x'], rows);
}
