/** Who is compared on a machine of a user: what is there, and nothing else. */
import { listContenders, type Listed } from '../contenders';
import { allThreads } from '../host/threads';

export interface Choice {
  readonly present: readonly Listed[];
  /** Why others cannot take part, each reason once. */
  readonly reasons: readonly string[];
}

/** This package with its best kernels, on all threads and on one, comes first. */
export function chooseContenders(): Choice {
  const ours = listContenders([], ['ours']);
  // The first instruction set is the best.
  const fastest = ours.find(({ threads }) => threads === allThreads)!;
  const single = ours.find(({ threads }) => threads === 1)!;
  const others = listContenders([], ['plain-javascript', 'onnxruntime', 'tfjs', 'jax-js']);
  const missing = others.flatMap((other) => other.missing ?? []);
  return {
    present: [...new Set([fastest, single]), ...others.filter((other) => !other.missing)],
    reasons: [...new Set(missing)],
  };
}
