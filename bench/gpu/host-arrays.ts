/** From which size on the GPU computes arrays of the host faster than the CPU does. */
import { worst } from '../reference';
import { ratioOf } from '../statistics';
import { makeProblem, type Problem } from '../workload';
import { bounds } from './accuracy';
import { newCriterion } from './operations';
import type { Pace } from './plan';
import type { HostArraysResult } from './report';
import { measurement } from './stopwatch';

const classes = 80;

export function measureHostArrays(rowCounts: readonly number[], pace: Pace): HostArraysResult[] {
  return rowCounts.map((rows) => {
    const problem = makeProblem({ rows, classes, gamma: 'mixed' });
    const [cuda, cpu] = [contestant(problem, 'cuda'), contestant(problem, 'cpu')];
    for (const one of [cuda, cpu]) one.solve();
    const error = worst(cuda.grad, cpu.grad);
    if (!(error <= bounds.float32.tolerance)) {
      throw new Error(`arrays of the host, ${rows} x ${classes}: gradients differ by ${error}`);
    }
    for (let round = 0; round < pace.rounds; round++) {
      // Neither always comes second.
      for (const one of round % 2 === 0 ? [cuda, cpu] : [cpu, cuda]) one.times.push(timed(one));
    }
    for (const one of [cuda, cpu]) one.dispose();
    return {
      ...{ rows, classes },
      cudaMicroseconds: measurement(pace.emulated, cuda.times),
      cpuMicroseconds: measurement(pace.emulated, cpu.times),
      ratio: pace.emulated ? null : ratioOf(cpu.times, cuda.times),
    };
  });
}

interface Contestant {
  readonly grad: Float32Array;
  readonly times: number[];
  readonly solve: () => void;
  readonly dispose: () => void;
}

function contestant({ logits, labels }: Problem, device: 'cuda' | 'cpu'): Contestant {
  const criterion = newCriterion(classes, device);
  const grad = new Float32Array(logits.length);
  return {
    grad,
    times: [],
    solve: () => {
      criterion.forwardBackward(logits, labels, { grad, collect: false });
    },
    dispose: () => {
      criterion.dispose();
    },
  };
}

function timed(one: Contestant): number {
  const start = performance.now();
  one.solve();
  return (performance.now() - start) * 1000;
}

/** The smallest size from which on the GPU stays ahead; null where it never is. */
export function crossover(results: readonly HostArraysResult[]): HostArraysResult | null {
  let found: HostArraysResult | null = null;
  for (const result of [...results].sort((a, b) => b.rows - a.rows)) {
    if (!(result.ratio !== null && result.ratio.median > 1)) break;
    found = result;
  }
  return found;
}
