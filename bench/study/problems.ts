import { distributed, makeProblem, type Distribution, type Problem } from '../workload';

export interface Shape {
  readonly rows: number;
  readonly classes: number;
  /** Share of the rows that have a class, 0 to 1; as in the workloads where it is absent. */
  readonly positives?: number;
  /** The same for all classes; each class has its own where it is absent. */
  readonly gamma?: number;
  /** As in the workloads of that name. */
  readonly distribution?: Distribution;
}

export function problemOf({ rows, classes, positives, gamma, distribution }: Shape): Problem {
  const shape = { rows, classes };
  const problem = makeProblem(
    distribution === undefined ? { ...shape, gamma: 'mixed' } : distributed(distribution, shape),
  );
  if (positives !== undefined) spreadPositives(problem, positives);
  if (gamma !== undefined) problem.gamma.fill(gamma);
  return problem;
}

/** Multiples of the golden ratio fill the unit interval evenly, in an order without a pattern. */
function spreadPositives({ labels, classes }: Problem, share: number): void {
  const golden = (Math.sqrt(5) - 1) / 2;
  labels.forEach((_, row) => {
    const hasClass = (row * golden) % 1 < share;
    labels[row] = hasClass ? 1 + Math.floor(classes * ((row * golden * golden) % 1)) : 0;
  });
}
