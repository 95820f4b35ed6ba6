/** The naive forms beside the truth and beside what the library computes. */
import { FocalLoss } from '../../lib';
import { focalElement } from '../reference/element';
import type { ElementResult } from '../reference/element';
import { naiveElement } from './naive';
import { figure, tableOf } from './table';
import type { Table } from './table';

const DIGITS = 4;
const ELEMENTS: readonly (readonly [label: 0 | 1, x: number])[] = [
  ...[-20, 5, 15, 16.5, 17, 50, 89, 1e4].map((x) => [0, x] as const),
  ...[20, -15, -25, -50, -88, -89, -1e4].map((x) => [1, x] as const),
];

function libraryElement(x: number, label: number): ElementResult {
  const criterion = new FocalLoss({ numClasses: 1, alpha: -1, reduction: 'none' });
  const { elements, grad } = criterion.forwardBackward(Float32Array.of(x), [label]);
  return { loss: elements![0]!, gradient: grad[0]! };
}

function naiveTable(part: keyof ElementResult): Table {
  const rows = ELEMENTS.map(([label, x]) => {
    const isPositive = label === 1;
    const values = [
      focalElement(x, isPositive, 2, 1),
      naiveElement(x, isPositive, 0),
      naiveElement(x, isPositive, 1e-12),
      libraryElement(x, label),
    ];
    return [String(label), String(x), ...values.map((value) => figure(value[part], DIGITS))];
  });
  return tableOf([], ['y', 'x', 'float64', 'log(p_t)', 'log(p_t + 1e-12)', 'here'], rows);
}

export function naiveLosses(): Table {
  return naiveTable('loss');
}

export function naiveGradients(): Table {
  return naiveTable('gradient');
}
