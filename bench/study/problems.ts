import { freemem } from 'node:os';
import {
  distributed,
  makeProblem,
  mixed,
  type Distribution,
  type Problem,
} from '../workload/workload';

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
  const workload =
    distribution === undefined
      ? mixed(rows, classes)
      : distributed(distribution, { rows, classes });
  const problem = makeProblem(workload);
  if (positives !== undefined) spreadPositives(problem, positives);
  if (gamma !== undefined) problem.gamma.fill(gamma);
  return problem;
}

/** Whether so many processes can have logits and gradient of their own, beside one that writes. */
export function fits({ rows, classes }: Shape, processes: number): boolean {
  return (2 * processes + 2) * rows * classes * Float32Array.BYTES_PER_ELEMENT < 0.8 * freemem();
}

/** Multiples of the golden ratio fill the unit interval evenly, in an order without a pattern. */
function spreadPositives({ labels, classes }: Problem, share: number): void {
  const golden = (Math.sqrt(5) - 1) / 2;
  labels.forEach((_, row) => {
    const hasClass = (row * golden) % 1 < share;
    labels[row] = hasClass ? 1 + Math.floor(classes * ((row * golden * golden) % 1)) : 0;
  });
}
