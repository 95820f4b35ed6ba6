import { backends, version } from '../..';
import { instructionSets } from '../host/instruction-sets';
import { threadCounts } from '../host/threads';
import { newCriterion, statesOf } from '../workload/criterion';
import type { Problem } from '../workload/workload';
import type { Contender, Solver, Task } from './contender';

/** This package with each instruction set and number of threads. */
export const contenders: readonly Contender[] = instructionSets().flatMap((kernels) =>
  threadCounts.map((threads) => ({
    id: `ours-${kernels}-${threads}`,
    name: `this package, ${kernels}`,
    family: 'ours',
    threads,
    alsoWithGammaTwo: true,
    environment: { EFL_CPU_ISA: kernels, EFL_NUM_THREADS: String(threads) },
    load,
  })),
);

function load(): Solver {
  const cpu = backends()[0]!;
  if (!cpu.available) throw new Error(cpu.detail);
  return { version, prepare };
}

function prepare({ classes, logits, labels, gamma }: Problem): Task {
  const criterion = newCriterion(classes);
  const grad = new Float32Array(logits.length);
  const { fresh, steady } = statesOf({ classes, gamma });
  criterion.loadStateDict(steady);
  let loss = 0;
  const solve = (): void => {
    loss = criterion.forwardBackward(logits, labels, { grad }).loss;
  };
  return {
    solve,
    solution: () => {
      criterion.loadStateDict(fresh);
      solve();
      const { positive, negative } = criterion.statistics;
      criterion.loadStateDict(steady);
      return { loss, gradient: grad, positive, negative };
    },
    dispose: () => {
      criterion.dispose();
    },
  };
}
