import { figuresOf } from '../../bench/figures';
import type { Measured, Outcome } from '../../bench/contest';
import type { Workload } from '../../bench/workload/workload';

const large: Workload = { rows: 20_000, classes: 1203, gamma: 'mixed' };

/** A contender that takes so many nanoseconds a logit. */
function timed(id: string, threads: number, nanoseconds: number): Measured {
  const family = id.startsWith('ours') ? 'ours' : id.startsWith('copy') ? 'copy' : 'javascript';
  const contender: Measured['contender'] = { id, name: id, family, threads, file: '' };
  const errors = { loss: 0, gradient: 0, statistics: 0 };
  const bytes = 4 * large.rows * large.classes + 1000;
  const times = [nanoseconds, nanoseconds, nanoseconds];
  return { contender, version: null, rows: large.rows, errors, extraBytes: bytes, times };
}

const measured = [
  timed('copy-1', 1, 0.4),
  timed('copy-2', 2, 0.25),
  timed('ours-avx512-1', 1, 0.9),
  timed('ours-avx512-2', 2, 0.5),
  timed('ours-avx2-2', 2, 0.7),
  timed('ours-scalar-1', 1, 27),
  timed('plain-javascript', 1, 55),
];

function valueOf(id: string, outcomes: readonly Outcome[]): number | undefined {
  return figuresOf(outcomes).figures.find((figure) => figure.id === id)?.value.median;
}

const outcome: Outcome = { workload: large, measured, skipped: [] };

test('each figure is the time of the one it names over that of the other', () => {
  expect(valueOf('avx512-over-copy', [outcome])).toBeCloseTo(2);
  expect(valueOf('avx2-over-copy', [outcome])).toBeCloseTo(2.8);
  expect(valueOf('scalar-over-avx512', [outcome])).toBeCloseTo(30);
  expect(valueOf('threads-avx512', [outcome])).toBeCloseTo(1.8);
  expect(valueOf('plain-javascript', [outcome])).toBeCloseTo(110);
});

test('memory is that of the fastest of ours beyond the gradient', () => {
  expect(valueOf('extra-memory', [outcome])).toBe(1000);
});

test('a figure that lacks a contender is named as not measured', () => {
  const { notMeasured } = figuresOf([outcome]);
  expect(notMeasured).toContain('TensorFlow.js wasm over this package');
  expect(notMeasured).not.toContain('plain JavaScript over this package');
});

test('ratios that need memory are not taken of a workload that fits the caches', () => {
  const small: Outcome = { ...outcome, workload: { ...large, rows: 1000 } };
  expect(valueOf('avx512-over-copy', [small])).toBeUndefined();
  expect(valueOf('plain-javascript', [small])).toBeCloseTo(110);
});

test('gamma 2 has a figure of its own', () => {
  const two: Outcome = { ...outcome, workload: { ...large, gamma: 'two' } };
  expect(valueOf('gamma-two-over-copy', [two])).toBeCloseTo(2);
  expect(valueOf('avx512-over-copy', [two])).toBeUndefined();
});
