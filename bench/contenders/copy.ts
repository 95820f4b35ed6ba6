import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { threadCounts } from '../host/threads';
import type { Problem } from '../workload/workload';
import type { Contender, Task } from './contender';

/** The pace of the machine's memory: a copy of the logits, each thread its part. */
export const contenders: readonly Contender[] = threadCounts.map((threads) => ({
  id: `copy-${threads}`,
  name: 'copy of the logits',
  family: 'copy',
  threads,
  alsoWithGammaTwo: true,
  load: () => ({ version: null, prepare: (problem: Problem) => prepare(problem, threads) }),
}));

/** Slots of the array that the threads share: calls so far, and helpers that have done theirs. */
const called = 0;
const finished = 1;

async function prepare({ logits }: Problem, threads: number): Promise<Task> {
  const part = Math.ceil(logits.length / threads);
  const source = logits.subarray(0, part);
  const target = new Float32Array(part);
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const helpers = Array.from({ length: threads - 1 }, () => startHelper(shared, part));
  await Promise.all(helpers.map((helper) => once(helper, 'message'))); // they are ready
  let calls = 0;
  return {
    solve: () => {
      Atomics.store(shared, called, ++calls);
      if (helpers.length > 0) Atomics.notify(shared, called);
      target.set(source);
      waitForHelpers(shared, calls * helpers.length);
    },
    dispose: () => {
      for (const helper of helpers) void helper.terminate();
    },
  };
}

/** Spins, since the helpers are about as far; where they have no core to run on, it gives up its own. */
function waitForHelpers(shared: Int32Array, expected: number): void {
  for (let spin = 1; ; spin++) {
    const count = Atomics.load(shared, finished);
    if (count === expected) return;
    if (spin % 100_000 === 0) Atomics.wait(shared, finished, count, 1);
  }
}

/** From its source text: a worker would not know how to read a file in TypeScript. */
function startHelper(shared: Int32Array, elements: number): Worker {
  const code = `(${help.toString()})(require('node:worker_threads'))`;
  return new Worker(code, { eval: true, workerData: { shared, elements, called, finished } });
}

/**
 * Copies its part whenever asked. The arrays are its own, since V8 copies shared memory slowly. It
 * spins while a sample is taken, where the next call comes soon, and sleeps between samples.
 */
function help({ workerData, parentPort }: typeof import('node:worker_threads')): void {
  const { shared, elements, called, finished } = workerData as {
    shared: Int32Array;
    elements: number;
    called: number;
    finished: number;
  };
  const source = new Float32Array(elements).fill(1);
  const target = new Float32Array(elements);
  target.set(source);
  parentPort!.postMessage('ready');
  for (let seen = 0; ;) {
    for (let spin = 0; spin < 100_000 && Atomics.load(shared, called) === seen; spin++);
    // A wake-up can be that of the call before, which came while this thread was awake.
    while (Atomics.load(shared, called) === seen) Atomics.wait(shared, called, seen);
    seen = Atomics.load(shared, called);
    target.set(source);
    Atomics.add(shared, finished, 1);
  }
}
