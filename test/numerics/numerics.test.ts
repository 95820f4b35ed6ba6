/** docs/numerics.md says what is computed. Anew: `node scripts/update-numerics.mjs`. */
import { backends, EqualizedFocalLoss, FocalLoss } from '../../lib';
import { expectClose, expectSame } from '../reference/compare';
import type { Measured } from './bound-tables';
import { blocksOf, readDocument } from './document';
import { allKernelsWork, withEachKernels } from './kernels';
import { cellsOf, parseCells } from './table';
import { BOUNDS, boundTable, EXACT, measureBounds } from './tables';

const documented = new Map(
  [...blocksOf(readDocument())].map(([name, block]) => [name, parseCells(block)]),
);

const measured = new Map<string, Measured>();

function measuredOf(name: string): Measured {
  const known = measured.get(name) ?? measureBounds(BOUNDS[name]!);
  measured.set(name, known);
  return known;
}

/** The figures of a documented table beside what is measured for them, cell by cell. */
function pairsOf(name: string): { cell: string; bound: number; error: number }[] {
  const { words } = BOUNDS[name]!;
  const [head, ...rows] = documented.get(name)!;
  return measuredOf(name).flatMap((errors, row) =>
    errors.flatMap((error, column) => {
      const at = column + words.length;
      const cell = `${rows[row]![0]}, ${head![at]}`;
      return error === undefined ? [] : [{ cell, bound: Number(rows[row]![at]), error }];
    }),
  );
}

test('the document has every table, once', () => {
  const names = [...Object.keys(EXACT), ...Object.keys(BOUNDS)];
  expect([...documented.keys()].sort()).toEqual(names.sort());
  expect(readDocument().match(/numerics:[\w-]+:begin/g)).toHaveLength(names.length);
});

describe.each(Object.keys(EXACT))('the table %s', (name) => {
  test('is what is computed with every set of kernels', () => {
    for (const cells of withEachKernels(() => cellsOf(EXACT[name]!()))) {
      expect(documented.get(name)).toEqual(cells);
    }
  });
});

describe.each(Object.keys(BOUNDS))('the bounds %s', (name) => {
  test('stand under the heads and beside the names of what is measured', () => {
    const empty = measuredOf(name).map((row) => row.map(() => undefined));
    const expected = cellsOf(boundTable(BOUNDS[name]!, empty));
    const { words } = BOUNDS[name]!;
    const [head, ...rows] = documented.get(name)!;
    expect(head).toEqual(expected[0]);
    const namesOf = (table: string[][]): string[][] =>
      table.map((row) => row.slice(0, words.length));
    expect(namesOf(rows)).toEqual(namesOf(expected.slice(1)));
  });

  test('hold with every set of kernels', () => {
    const broken = pairsOf(name).filter(({ bound, error }) => !(error <= bound));
    expect(broken).toEqual([]);
  });

  // With some sets alone the errors may be smaller, and the bounds are right all the same.
  (allKernelsWork() ? test : test.skip)('are not more than four times what is measured', () => {
    const loose = pairsOf(name).filter(({ bound, error }) => bound > 4 * error);
    expect(loose).toEqual([]);
  });
});

test('trying each set of kernels leaves the one that was chosen', () => {
  const before = backends();
  withEachKernels(() => undefined);
  expect(backends()).toEqual(before);
});

test('a subnormal logit gives what 0 gives, with every set of kernels', () => {
  const criterion = new FocalLoss({ numClasses: 1, gamma: 3, reduction: 'none' });
  const call = (x: number) => criterion.forwardBackward(Float32Array.of(x, x), [0, 1]);
  withEachKernels(() => {
    for (const x of [1e-40, -1e-40]) {
      expectSame('elements', call(x).elements!, call(0).elements!);
      expectSame('gradient', call(x).grad, call(0).grad);
    }
  });
});

test.each([
  ['FocalLoss', 9e37, () => new FocalLoss({ numClasses: 64 }), 0.75],
  ['FocalLoss without alpha', 6e37, () => new FocalLoss({ numClasses: 64, alpha: -1 }), 1],
  ['EqualizedFocalLoss with g = 0', 1e37, rarest, 3.75],
] as const)('the loss of %s is finite at %d, with every set of kernels', (_, x, create, weight) => {
  const criterion = create();
  const logits = new Float32Array(64 * 64).fill(x);
  withEachKernels(() => {
    const { loss } = criterion.forward(logits, new Int32Array(64));
    expectClose('loss', loss, 4096 * weight * x, { relative: 1e-6 });
  });
});

function rarest(): EqualizedFocalLoss {
  const criterion = new EqualizedFocalLoss({ numClasses: 64 });
  const none = new Float64Array(64);
  criterion.loadStateDict({ pos_grad: none, neg_grad: none.map(() => 1), pos_neg: none });
  return criterion;
}
