/** Every table of docs/numerics.md by the name of its markers. */
import { boundText } from './bound';
import { BY_GAMMA, BY_LOSS, BY_TYPE, OF_LEARNT } from './bound-tables';
import type { BoundTable, Measured } from './bound-tables';
import {
  goldenCrossEntropy,
  goldenFactors,
  goldenFocal,
  goldenQuality,
  goldenSoft,
} from './golden-tables';
import { withEachKernels } from './kernels';
import { naiveGradients, naiveLosses } from './naive-tables';
import { nonFiniteLogits } from './non-finite-table';
import { naiveLimits, smallGradients } from './range-tables';
import { tableOf } from './table';
import type { Table } from './table';

/** The same on every machine. */
export const EXACT: Readonly<Record<string, () => Table>> = {
  'naive-limits': naiveLimits,
  'naive-losses': naiveLosses,
  'naive-gradients': naiveGradients,
  'small-gradients': smallGradients,
  'non-finite': nonFiniteLogits,
  'golden-focal': goldenFocal,
  'golden-cross-entropy': goldenCrossEntropy,
  'golden-soft': goldenSoft,
  'golden-quality': goldenQuality,
  'golden-factors': goldenFactors,
};

/** What holds for every set of kernels. */
export const BOUNDS: Readonly<Record<string, BoundTable>> = {
  'errors-by-loss': BY_LOSS,
  'errors-of-learnt': OF_LEARNT,
  'errors-by-gamma': BY_GAMMA,
  'errors-by-type': BY_TYPE,
};

/** The largest errors over all sets of kernels that work here. */
export function measureBounds(table: BoundTable): Measured {
  const measure = table.prepare();
  const all = withEachKernels(measure);
  return all[0]!.map((row, r) =>
    row.map((value, c) =>
      value === undefined ? undefined : Math.max(...all.map((one) => one[r]![c]!)),
    ),
  );
}

export function boundTable(table: BoundTable, measured: Measured): Table {
  const cell = (value: number | undefined, row: number, column: number): string =>
    value === undefined ? '' : boundText(table.bound(value, row, column));
  return tableOf(
    table.words,
    table.figures,
    table.names.map((name, row) => [
      name,
      ...measured[row]!.map((value, column) => cell(value, row, column)),
    ]),
  );
}

/** A table by its name, as it has to stand in the document. */
export function buildTable(name: string): Table {
  const exact = EXACT[name];
  if (exact) {
    return exact();
  }
  const bounds = BOUNDS[name];
  if (!bounds) {
    throw new RangeError(`there is no table of the name ${name}`);
  }
  return boundTable(bounds, measureBounds(bounds));
}
