import type { Listed } from '../contenders';
import type { Errors } from '../report/report';
import { ContenderProcess } from './contender-process';
import type { Memory, Prepared, ProblemFiles, Sampled } from './protocol';
import type { Stage } from './stage';

export interface Pace {
  readonly rounds: number;
  /** A sample is as many calls as take at least this long. */
  readonly sampleMilliseconds: number;
}

/** A contender in its process, which is handed one problem after the other. */
export class Runner extends ContenderProcess {
  readonly #setsPace: boolean;
  #calls = 1;

  constructor(contender: Listed) {
    super(contender);
    this.#setsPace = contender.family === 'copy';
  }

  prepare(files: ProblemFiles): Promise<Prepared> {
    return this.request({ request: 'prepare', ...files });
  }

  /** The errors of its solution; null for what only sets a pace. Rejects where they are too large. */
  async check(stage: Stage): Promise<Errors | null> {
    const { solves } = await this.prepare(stage.files(stage.checkedRows));
    if (!solves && this.#setsPace) return null;
    stage.forgetSolution();
    await this.request({ request: 'check', folder: stage.folder });
    return stage.check();
  }

  /** Peak beyond logits and labels, as long as nothing but these calls has run on the problem. */
  async memory(calls: number): Promise<number | null> {
    return (await this.request<Memory>({ request: 'memory', calls })).bytes;
  }

  /** Finds the number of calls that make a sample long enough for the clock. */
  async calibrate(milliseconds: number): Promise<void> {
    this.#calls = 1;
    for (let attempt = 0; attempt < 4; attempt++) {
      const elapsed = (await this.sample()) * this.#calls;
      if (elapsed >= milliseconds) break;
      const growth = Math.min(100, (1.1 * milliseconds) / Math.max(elapsed, 1e-3));
      this.#calls = Math.ceil(this.#calls * growth);
    }
  }

  /** Milliseconds of one call, as the mean of so many. */
  async sample(calls = this.#calls): Promise<number> {
    const { milliseconds } = await this.request<Sampled>({ request: 'sample', calls });
    if (!(milliseconds >= 0 && milliseconds < Infinity)) {
      throw new Error('it has not told how many milliseconds a sample took');
    }
    return milliseconds / calls;
  }
}
