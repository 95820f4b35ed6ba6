/**
 * How far an element may be off, for logits in [-100, 100] and gamma to 10; a program of its own,
 * which prints figures as JSON for the instruction set it runs with (`EFL_CPU_ISA`).
 */
import { backends } from '..';
import { single } from './measure/statistics';
import type { Figure } from './report/report';
import { newCriterion, statesOf } from './workload/criterion';
import { solveInFloat64 } from './workload/reference';
import { baseGamma, generator, scaleFactor, type Problem } from './workload/workload';

const rows = 2000;
const classes = 211;

function extremeProblem(): Problem {
  const random = generator(7);
  const logits = Float32Array.from({ length: rows * classes }, () => 200 * random() - 100);
  const labels = Int32Array.from({ length: rows }, () => Math.floor(random() * (classes + 1)));
  const gamma = Float64Array.from({ length: classes }, () => baseGamma + scaleFactor * random());
  return { rows, classes, logits, labels, gamma: gamma.map(Math.fround) };
}

function gradientOf(problem: Problem): Float32Array {
  const criterion = newCriterion(classes);
  criterion.loadStateDict(statesOf(problem).fresh);
  return criterion.forwardBackward(problem.logits, problem.labels, { collect: false }).grad;
}

function worstAbove(least: number, actual: Float32Array, expected: Float64Array): number {
  let worst = 0;
  expected.forEach((value, index) => {
    const size = Math.abs(value);
    if (size >= least) worst = Math.max(worst, Math.abs(actual[index]! - value) / size);
  });
  return worst;
}

function main(): void {
  const problem = extremeProblem();
  const [actual, expected] = [gradientOf(problem), solveInFloat64(problem).gradient];
  const kernels = backends()
    .find(({ name }) => name === 'cpu')!
    .detail.split(' ')[0]!;
  const figure = (least: number, target: number): Figure => ({
    id: `accuracy-${least}`,
    workload: kernels,
    description: `worst error of a gradient above ${least}`,
    value: single(worstAbove(least, actual, expected)),
    unit: 'relative error',
    target: { bound: 'at most', value: target },
  });
  console.log(JSON.stringify([figure(1e-12, 3e-6), figure(1e-30, 7e-6)]));
}

main();
