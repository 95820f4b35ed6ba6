import { parseShapes } from '../../bench/command/options';
import { distributionFigures } from '../../bench/figures';
import { errorsOf, requireEqual } from '../../bench/measure/accuracy';
import { cpuNumbers } from '../../bench/measure/machine';
import { distributionTimes } from '../../bench/results';
import { solveInFloat64 } from '../../bench/workload/reference';
import {
  distributed,
  distributionNames,
  distributions,
  fullWorkloads,
  makeProblem,
} from '../../bench/workload/workload';

const shape = { rows: 4000, classes: 100 };

test.each(distributionNames)('the logits of %s have its mean and deviation', (name) => {
  const { logits } = makeProblem(distributed(name, shape));
  const mean = logits.reduce((sum, x) => sum + x, 0) / logits.length;
  const variance = logits.reduce((sum, x) => sum + (x - mean) ** 2, 0) / logits.length;
  expect(mean).toBeCloseTo(distributions[name].mean, 1);
  expect(Math.sqrt(variance)).toBeCloseTo(distributions[name].deviation, 1);
});

test('labels and gammas have a long tail where the logits have a distribution', () => {
  const { labels, gamma } = makeProblem(distributed('trained', { rows: 100_000, classes: 100 }));
  expect([gamma[0], gamma[9], gamma[19]]).toEqual([2, 2, 6]);
  expect(gamma[99]).toBeCloseTo(9.2);
  const count = (label: number): number => labels.filter((one) => one === label).length;
  expect(count(1)).toBeGreaterThan(3 * count(10));
  expect(Math.max(...labels)).toBe(100);
});

test('a full run has the prior, a trained and a confident head among its workloads', () => {
  const names = fullWorkloads.map(({ distribution }) => distribution);
  expect(names.filter((name) => name !== undefined)).toEqual(['prior', 'trained', 'confident']);
});

test('--shapes takes a distribution by its name', () => {
  expect(parseShapes('30x4:prior,30x4:2,30x4')).toEqual([
    distributed('prior', { rows: 30, classes: 4 }),
    { rows: 30, classes: 4, gamma: 'two' },
    { rows: 30, classes: 4, gamma: 'mixed' },
  ]);
  expect(() => parseShapes('30x4:late')).toThrow(/':late' is neither ':2' nor :undecided, :prior/);
});

test('a contender that makes 0 of results below 2^-126 computes the same', () => {
  const problem = makeProblem(distributed('confident', { rows: 200, classes: 100 }));
  const reference = solveInFloat64(problem);
  const flushed = (value: number): number => (Math.abs(value) < 2 ** -126 ? 0 : value);
  const gradient = Float32Array.from(reference.gradient, flushed);
  expect(gradient.filter((value) => value === 0).length).toBeGreaterThan(100);
  const errors = errorsOf({ ...reference, gradient }, reference);
  expect(requireEqual('it', errors)).toBe(errors);
});

test('the slowest distribution is compared with undecided logits, round by round', () => {
  const measured = distributionTimes('avx2', [
    [1, 2, 1],
    [1.1, 2.2, 1.1],
    [2, 4, 2],
    [1.5, 3, 1.5],
  ]);
  const trained = { distribution: 'trained', nanosecondsPerLogit: { median: 2 } };
  expect(measured.times[2]).toMatchObject(trained);
  expect(measured.slowestOverUndecided).toEqual({ median: 2, lower: 2, upper: 2 });
  const [figure] = distributionFigures([measured]);
  expect(figure).toMatchObject({ workload: 'avx2', target: { bound: 'at most', value: 1.1 } });
});

test('a processor is known by its numbers where its name says little', () => {
  const cpuinfo =
    'processor\t: 0\ncpu family\t: 6\nmodel\t\t: 207\nmodel name\t: Xeon\nstepping\t: 2\n';
  expect(cpuNumbers(cpuinfo)).toBe('family 6, model 207, stepping 2');
  expect(cpuNumbers('processor\t: 0\nCPU part\t: 0xd40\n')).toBeNull();
});
