/** The golden tables of docs/numerics.md against the library. */
import {
  EqualizationLossV2,
  EqualizedFocalLoss,
  EqualizedQualityFocalLoss,
  FocalLoss,
} from '../../lib';
import type { Criterion } from '../../lib';
import { expectClose } from '../reference/compare';
import type { Values } from '../reference/compare';
import { blocksOf, readDocument } from './document';
import { ALPHA, BASE_GAMMA, SCALE_FACTOR } from './golden-tables';
import { withEachKernels } from './kernels';
import { parseCells } from './table';

// The bound of the document for gamma to 10; what float32 cannot hold may be 0.
const TOLERANCE = { relative: 2e-6, absolute: 1e-36 };
const ONE_CLASS = { numClasses: 1, reduction: 'none' } as const;
const EQUALIZED = { ...ONE_CLASS, gamma: BASE_GAMMA, scaleFactor: SCALE_FACTOR };

const blocks = blocksOf(readDocument());

/** The rows of a table as numbers, by the heads of its columns. */
function rowsOf(name: string): Readonly<Record<string, number>>[] {
  const [head, ...rows] = parseCells(blocks.get(name)!);
  return rows.map((row) => Object.fromEntries(row.map((cell, i) => [head![i]!, Number(cell)])));
}

function stateOf(ratio: number): { pos_grad: number[]; neg_grad: number[]; pos_neg: number[] } {
  return { pos_grad: [0], neg_grad: [0], pos_neg: [ratio] };
}

/** Compares what `compute` makes of each row with its loss and gradient, with every set of kernels. */
function compareRows(
  name: string,
  compute: (row: Readonly<Record<string, number>>) => { elements?: Values; grad: Values },
): void {
  withEachKernels((kernels) => {
    for (const row of rowsOf(name)) {
      const { elements, grad } = compute(row);
      const what = `${kernels}, ${JSON.stringify(row)}`;
      expectClose(`loss of ${what}`, elements!, row['loss']!, TOLERANCE);
      expectClose(`gradient of ${what}`, grad, row['gradient']!, TOLERANCE);
    }
  });
}

function runRow(
  criterion: Criterion,
  row: Readonly<Record<string, number>>,
  targets: number[] | Float32Array,
  quality?: Float32Array,
): { elements?: Float32Array; grad: Float32Array } {
  return criterion.forwardBackward(Float32Array.of(row['x']!), targets, { quality });
}

test('EqualizedFocalLoss has the golden values', () => {
  compareRows('golden-focal', (row) => {
    const criterion = new EqualizedFocalLoss({ ...EQUALIZED, alpha: ALPHA });
    criterion.loadStateDict(stateOf(row['g']!));
    expect(criterion.focusingFactor[0]).toBe(row['gamma_j']);
    return runRow(criterion, row, [row['y']!]);
  });
});

test('EqualizedQualityFocalLoss has the golden values', () => {
  compareRows('golden-quality', (row) => {
    const criterion = new EqualizedQualityFocalLoss(EQUALIZED);
    criterion.loadStateDict(stateOf(row['g']!));
    return runRow(criterion, row, [1], Float32Array.of(row['quality']!));
  });
});

test('FocalLoss with gamma 0 has the golden values of cross-entropy', () => {
  const criterion = new FocalLoss({ ...ONE_CLASS, gamma: 0, alpha: -1 });
  compareRows('golden-cross-entropy', (row) => runRow(criterion, row, [row['y']!]));
});

test('FocalLoss has the golden values of soft targets', () => {
  const criterion = new FocalLoss({ ...ONE_CLASS, gamma: BASE_GAMMA, alpha: ALPHA });
  compareRows('golden-soft', (row) => runRow(criterion, row, Float32Array.of(row['y']!)));
});

test('EqualizationLossV2 has the golden factors', () => {
  for (const row of rowsOf('golden-factors')) {
    const criterion = new EqualizationLossV2(ONE_CLASS);
    criterion.loadStateDict(stateOf(row['r']!));
    const factors = [...criterion.negativeWeight, ...criterion.positiveWeight];
    expectClose('factors', factors, Object.values(row).slice(1), { relative: 1e-11 });
  }
});
