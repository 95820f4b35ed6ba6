import type { Contender } from './contenders/contender';
import type { Solution, Workload } from './workload';

export interface Timing {
  readonly name: string;
  /** Milliseconds of one call: median and the quarters around it. */
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
}

/** Refuses to time a contender that computes something else. */
export function checkEqual(name: string, actual: Solution, expected: Solution): void {
  const pairs: [string, ArrayLike<number>, ArrayLike<number>][] = [
    ['loss', [actual.loss], [expected.loss]],
    ['gradient', actual.gradient, expected.gradient],
    ['positive sums', actual.positive, expected.positive],
    ['negative sums', actual.negative, expected.negative],
  ];
  for (const [what, a, b] of pairs) {
    for (let i = 0; i < b.length; i++) {
      if (!(Math.abs(a[i]! - b[i]!) <= 1e-5 * Math.abs(b[i]!) + 1e-30)) {
        throw new Error(`${name}: ${what}[${i}] is ${a[i]!} in place of ${b[i]!}`);
      }
    }
  }
}

/** Times all contenders and a copy of the logits in turn, round by round. */
export function measure(
  workload: Workload,
  contenders: readonly Contender[],
  rounds: number,
): Timing[] {
  const target = new Float32Array(workload.logits.length);
  const tasks = [
    {
      name: 'copy of the logits',
      run: (): unknown => {
        target.set(workload.logits);
        return target;
      },
    },
    ...contenders.map((contender) => ({ name: contender.name, run: contender.prepare(workload) })),
  ];
  const samples = tasks.map(() => [] as number[]);
  for (let round = -2; round < rounds; round++) {
    tasks.forEach(({ run }, i) => {
      const milliseconds = timeOnce(run);
      if (round >= 0) samples[i]!.push(milliseconds); // the first two rounds warm up
    });
  }
  return tasks.map(({ name }, i) => summarize(name, samples[i]!));
}

/** One sample: as many calls as the clock needs to be fine enough. */
function timeOnce(run: () => unknown): number {
  const start = performance.now();
  let calls = 0;
  let elapsed = 0;
  do {
    run();
    calls++;
    elapsed = performance.now() - start;
  } while (elapsed < 2);
  return elapsed / calls;
}

function summarize(name: string, samples: number[]): Timing {
  samples.sort((a, b) => a - b);
  const at = (share: number): number => samples[Math.floor(share * (samples.length - 1))]!;
  return { name, median: at(0.5), lower: at(0.25), upper: at(0.75) };
}
