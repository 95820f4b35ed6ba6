import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { removeFolder, scratchFolder } from '../host/scratch';
import { checkedRows, errorsOf, requireEqual } from '../measure/accuracy';
import type { Errors } from '../report/report';
import type { LogitType } from '../workload/half';
import { solveInFloat64, type Reference } from '../workload/reference';
import { alpha, baseGamma, rowsOf, scaleFactor, type Problem } from '../workload/workload';
import { readSolution, writeProblem } from './arrays';
import { solutionFiles, type ProblemFiles } from './protocol';

/** A problem as contenders get it: in files, with the right solution of its first rows. */
export class Stage {
  readonly folder: string;
  readonly rows: number;
  readonly classes: number;
  /** Contenders are checked with so many rows. */
  readonly checkedRows: number;
  readonly #type: LogitType;
  readonly #solution: Reference;

  /** `type`: that of the logits in the contenders, where it says less than float32. */
  constructor(problem: Problem, type: LogitType = 'float32') {
    this.folder = scratchFolder(problem.logits.byteLength);
    this.rows = problem.rows;
    this.classes = problem.classes;
    this.checkedRows = checkedRows(problem);
    this.#type = type;
    this.#solution = solveInFloat64(rowsOf(problem, 0, this.checkedRows));
    writeProblem(this.folder, problem);
  }

  files(rows = this.rows): ProblemFiles {
    const { folder, classes } = this;
    return { folder, rows, classes, baseGamma, alpha, scaleFactor };
  }

  /** To be called before a contender writes its solution: it must not pass with another's. */
  forgetSolution(): void {
    for (const name of solutionFiles) rmSync(path.join(this.folder, name), { force: true });
  }

  /** The errors of the solution that a contender has written. Throws where they are too large. */
  check(): Errors {
    const { checkedRows: rows, classes, folder } = this;
    const missing = solutionFiles.filter((name) => !existsSync(path.join(folder, name)));
    if (missing.length > 0) throw new Error(`it has not written ${missing.join(', ')}`);
    const solution = readSolution(folder, rows, classes);
    const errors = errorsOf(solution, this.#solution, this.#type, rows);
    return requireEqual('it', errors, this.#type);
  }

  close(): void {
    removeFolder(this.folder);
  }
}
