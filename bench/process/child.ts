/**
 * child.ts <file> <id>: the process of one contender. Loads it from its file and answers requests
 * (protocol.ts) until its input ends.
 */
import { createInterface } from 'node:readline';
import { readProblem, writeSolution } from './arrays';
import { contendersIn } from '../contenders/load';
import type { Solver, Task } from '../contenders/contender';
import { MemoryMark } from '../host/memory';
import { messageOf } from '../host/message';
import type { Memory, Prepared, ProblemFiles, Request, Sampled } from './protocol';

// Answers alone go to stdout: what libraries print there would not be understood.
const answerStream = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);

/** A call so long needs no warm-up. */
const longMilliseconds = 100;

class Child {
  readonly #solver: Promise<Solver>;
  #task: Task | undefined;
  #mark: MemoryMark | undefined;
  #lastMilliseconds = 0;

  constructor(file: string, id: string) {
    this.#solver = load(file, id);
    this.#solver.catch(() => undefined); // it is reported where it is awaited
  }

  answer(request: Request): Promise<object> {
    switch (request.request) {
      case 'prepare':
        return this.#prepare(request);
      case 'check':
        return this.#check(request.folder);
      case 'sample':
        return this.#sample(request.calls);
      case 'memory':
        return this.#memory(request.calls);
    }
  }

  async #prepare({ folder, rows, classes }: ProblemFiles): Promise<Prepared> {
    const solver = await this.#solver;
    this.#task?.dispose?.();
    const problem = readProblem(folder, rows, classes);
    this.#mark = new MemoryMark();
    this.#task = await solver.prepare(problem);
    return { version: solver.version, solves: this.#task.solution !== undefined };
  }

  async #check(folder: string): Promise<object> {
    await this.#solve(1);
    const solution = await this.#task?.solution?.();
    if (solution === undefined) throw new Error('there is no solution to check');
    writeSolution(folder, solution);
    return {};
  }

  async #sample(calls: number): Promise<Sampled> {
    // Others have run in the meantime: one to fill the caches again, which a long call does itself.
    if (this.#lastMilliseconds < longMilliseconds) await this.#solve(1);
    const start = performance.now();
    await this.#solve(calls);
    const milliseconds = performance.now() - start;
    this.#lastMilliseconds = milliseconds / calls;
    return { milliseconds };
  }

  async #memory(calls: number): Promise<Memory> {
    await this.#solve(calls);
    return { bytes: this.#mark?.growth() ?? null };
  }

  async #solve(calls: number): Promise<void> {
    const task = this.#task!;
    for (let call = 0; call < calls; call++) {
      const pending = task.solve();
      if (pending !== undefined) await pending;
    }
  }
}

async function load(file: string, id: string): Promise<Solver> {
  const contender = contendersIn(file).find((candidate) => candidate.id === id);
  if (contender?.load === undefined) throw new Error(`${file} has no contender ${id} to load`);
  return contender.load();
}

async function serve([file, id]: readonly string[]): Promise<void> {
  const child = new Child(file!, id!);
  for await (const line of createInterface({ input: process.stdin })) {
    let answer: object;
    try {
      answer = await child.answer(JSON.parse(line) as Request);
    } catch (error) {
      answer = { error: messageOf(error) };
    }
    answerStream(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
}

void serve(process.argv.slice(2));
