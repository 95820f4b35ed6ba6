import { alpha, baseGamma, type Problem, type Solution } from '../workload/workload';
import type { Contender } from './contender';

/** What one would write without this package: one fused, stable loop over typed arrays. */
export const contenders: readonly Contender[] = [
  {
    id: 'plain-javascript',
    name: 'plain JavaScript, one fused loop',
    family: 'javascript',
    threads: 1,
    load: () => ({ version: process.versions.node, prepare }),
  },
];

function prepare(problem: Problem) {
  const gradient = new Float32Array(problem.logits.length);
  let solution: Solution | undefined;
  return {
    solve: () => {
      solution = solve(problem, gradient);
    },
    solution: () => solution!,
  };
}

function solve(
  { rows, classes, logits, labels, gamma }: Problem,
  gradient: Float32Array,
): Solution {
  const positive = new Float64Array(classes);
  const negative = new Float64Array(classes);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const label = labels[row]!;
    const offset = row * classes;
    if (label < 0) {
      gradient.fill(0, offset, offset + classes);
      continue;
    }
    for (let j = 0; j < classes; j++) {
      const isPositive = label === j + 1;
      const u = isPositive ? -logits[offset + j]! : logits[offset + j]!;
      const t = Math.exp(-Math.abs(u));
      const log1p = Math.log1p(t);
      const large = 1 / (1 + t);
      const sigma = u >= 0 ? large : t * large;
      const entropy = Math.max(u, 0) + log1p;
      const focusing = gamma[j]!;
      const weight = ((isPositive ? alpha : 1 - alpha) * focusing) / baseGamma;
      const scaled = weight * Math.exp(-focusing * (Math.max(-u, 0) + log1p));
      const magnitude = scaled * (sigma + focusing * (1 - sigma) * entropy);
      loss += scaled * entropy;
      gradient[offset + j] = isPositive ? -magnitude : magnitude;
      if (isPositive) positive[j]! += magnitude;
      else negative[j]! += magnitude;
    }
  }
  return { loss, gradient, positive, negative };
}
