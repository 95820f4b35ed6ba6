// Trains the same classifier on one thread and data-parallel on 2 and 3, and compares: losses,
// weights and the state of the criterion.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { EqualizedFocalLoss } from 'equalized-focal-loss';
import { blocks, classes, descend, makeTask, multiply, multiplyBack, steps } from './task.mjs';

const all = Array.from({ length: blocks }, (_, block) => block);

/** Without any division of work: one call for the whole batch. */
function trainOnOneThread() {
  const task = makeTask();
  const criterion = new EqualizedFocalLoss({ numClasses: classes });
  const losses = Array.from({ length: steps }, () => {
    all.forEach((block) => multiply(task, block));
    const call = { grad: task.grad, normalizer: 'positives' };
    const { loss } = criterion.forwardBackward(task.logits, task.labels, call);
    all.forEach((block) => multiplyBack(task, block));
    descend(task);
    return loss;
  });
  return { losses, weights: task.weights, ...criterion.statistics };
}

async function trainOnWorkers(count) {
  const task = makeTask();
  const criterion = new EqualizedFocalLoss({ numClasses: classes });
  // What 'positives' would count, of the batch and not of a block.
  const normalizer = Math.max(1, task.labels.filter((label) => label > 0).length);
  const workers = Array.from(
    { length: count },
    (_, worker) =>
      new Worker(new URL('worker.mjs', import.meta.url), {
        workerData: { task, mine: all.filter((block) => block % count === worker) },
      }),
  );
  const losses = [];
  for (let step = 0; step < steps; step++) {
    const answers = workers.map((worker) => once(worker, 'message'));
    const { gradientRatio: ratio } = criterion;
    workers.forEach((worker) => worker.postMessage({ ratio, normalizer }));
    const results = (await Promise.all(answers)).flatMap(([results]) => results);
    // In the order of the blocks: sums of floating-point numbers depend on it.
    results.sort((a, b) => a.block - b.block);
    losses.push(results.reduce((sum, { loss }) => sum + loss, 0));
    // The blocks are one step together, or none where all rows of the batch were ignored.
    const counted = Math.max(...results.map(({ statistics }) => statistics.steps));
    for (const { block, statistics } of results) {
      criterion.mergeStatistics({ ...statistics, steps: block === 0 ? counted : 0 });
    }
    descend(task);
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
  return { losses, weights: task.weights, ...criterion.statistics };
}

/** The largest relative difference of two results. */
function difference(result, expected) {
  const names = ['losses', 'weights', 'positive', 'negative'];
  const of = (name) =>
    Array.from(expected[name], (value, i) => Math.abs(result[name][i] - value) / Math.abs(value));
  return Math.max(...names.flatMap(of));
}

const expected = trainOnOneThread();
console.log(`1 thread: loss ${expected.losses[0]} -> ${expected.losses.at(-1)}`);
let first;
for (const count of [1, 2, 3]) {
  const result = await trainOnWorkers(count);
  first ??= result;
  const toOne = difference(result, expected);
  console.log(
    `${count} workers: loss ${result.losses[0]} -> ${result.losses.at(-1)}, ${result.steps} steps, ` +
      `at most ${toOne.toExponential(1)} from one thread`,
  );
  if (!(toOne < 1e-12)) throw new Error('the workers differ from one thread');
  if (difference(result, first) !== 0) throw new Error('the number of workers matters');
  if (result.steps !== expected.steps)
    throw new Error('the steps are not counted as on one thread');
}
console.log('any number of workers gives the same to the last bit');
