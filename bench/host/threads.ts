import { availableParallelism } from 'node:os';

/** All threads that a contender may use. */
export const allThreads = availableParallelism();

/** Thread counts that are compared: one, two (what the targets are stated for) and all. */
export const threadCounts: readonly number[] = [
  ...new Set([1, Math.min(2, allThreads), allThreads]),
];
