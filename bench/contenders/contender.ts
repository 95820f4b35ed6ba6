import type { ContenderResult } from '../report/report';
import type { Problem, Solution } from '../workload/workload';

/**
 * A way to compute loss, gradient and gradient statistics; one file each in this folder. The
 * benchmark imports the file to list what is in it, and once more in a process of the contender's
 * own, where it is loaded and timed: keep what is heavy inside `load`.
 */
export interface Contender {
  /** For `--only` and for programs: lower case with hyphens. */
  readonly id: string;
  readonly name: string;
  readonly family: ContenderResult['family'];
  readonly threads: number;
  /** More logits would take too long or too much memory; it is timed with the first rows then. */
  readonly mostLogits?: number | undefined;
  /** Arrays as large as the logits that it has at once, so that there is room for them. Default 3. */
  readonly arrays?: number | undefined;
  /** Whether it also runs where every gamma is 2. */
  readonly alsoWithGammaTwo?: boolean | undefined;
  /** Set in its process. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Runs in its process. Throws where something is missing: the message becomes the reason. */
  readonly load?: (() => Solver | Promise<Solver>) | undefined;
  /** In place of `load`: a program that speaks the protocol itself. */
  readonly program?: readonly [command: string, ...args: string[]] | undefined;
  /** Known before it is started: why it cannot run here. */
  readonly missing?: string | undefined;
}

/** A contender, loaded. */
export interface Solver {
  /** Of the software that computes. */
  readonly version: string | null;
  /** Makes everything that can be reused from call to call, the gradient's memory included. */
  prepare(problem: Problem): Task | Promise<Task>;
}

export interface Task {
  /** What is timed: solves the problem once. */
  solve(): void | Promise<void>;
  /** What the last `solve` computed. Absent for what only sets a pace, a copy. */
  solution?: (() => Solution | Promise<Solution>) | undefined;
  /** Gives back what the garbage collector does not. */
  dispose?: (() => void) | undefined;
}
