/**
 * How long asynchronous calls hold the event loop; a program of its own, which prints two figures as
 * JSON. The calls are awaited: their memory is warm, as in a loop that trains.
 */
import { EqualizedFocalLoss } from '..';
import type { Figure } from './report/report';
import { ratioOf, spreadOf } from './statistics';
import { alpha, baseGamma, makeProblem, nameOf, scaleFactor, type Workload } from './workload';

const rounds = 15;
const workload: Workload = { rows: 20_000, classes: 1203, gamma: 'mixed' };
const callsAtATime = 4;

const { logits, labels } = makeProblem(workload);
const options = { numClasses: workload.classes, gamma: baseGamma, alpha, scaleFactor };
const criterion = new EqualizedFocalLoss(options);

/** Milliseconds. */
function time(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

async function timeOfSubmitting(): Promise<number> {
  let call: Promise<unknown> | undefined;
  const taken = time(() => {
    call = criterion.forwardBackwardAsync(logits, labels);
  });
  await call;
  return taken;
}

/** The longest turn in which gradients come back into arrays that nobody has touched yet. */
async function longestTurn(): Promise<number> {
  const calls = Array.from({ length: callsAtATime }, () => {
    const grad = new Float32Array(logits.length);
    return criterion.forwardBackwardAsync(logits, labels, { grad });
  });
  let [longest, last, isOver] = [0, performance.now(), false];
  const watch = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(watch);
  };
  setImmediate(() => {
    last = performance.now();
    watch();
  });
  await Promise.all(calls);
  isOver = true;
  return longest;
}

async function main(): Promise<void> {
  const target = new Float32Array(logits.length).fill(1);
  const copies: number[] = [];
  const submissions: number[] = [];
  const turns: number[] = [];
  for (let round = -2; round < rounds; round++) {
    const copy = time(() => {
      target.set(logits);
    });
    const submission = await timeOfSubmitting();
    if (round < 0) continue; // warm-up
    copies.push(copy);
    submissions.push(submission);
  }
  // Apart, since the garbage collector has much to give back after each of these.
  for (let round = 0; round < rounds; round++) turns.push((await longestTurn()) * 1000);
  console.log(JSON.stringify([submissionFigure(submissions, copies), turnFigure(turns)]));
}

function submissionFigure(times: readonly number[], copies: readonly number[]): Figure {
  return {
    id: 'submission-over-copy',
    workload: nameOf(workload),
    description: 'making an asynchronous call over a copy into warm memory',
    value: ratioOf(times, copies),
    unit: 'x',
    target: { bound: 'at most', value: 1.3 },
  };
}

function turnFigure(turns: readonly number[]): Figure {
  return {
    id: 'longest-turn',
    workload: nameOf(workload),
    description: `longest turn of the event loop while ${callsAtATime} gradients come back`,
    value: spreadOf(turns),
    unit: 'us',
    target: { bound: 'at most', value: 10_000 },
  };
}

void main();
