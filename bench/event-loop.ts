/**
 * How long asynchronous calls hold the event loop; a program of its own, which prints two figures as
 * JSON. The calls are awaited: their memory is warm, as in a loop that trains.
 */
import { microsecondsOf, race } from './measure/race';
import { ratioOf, spreadOf } from './measure/statistics';
import type { Figure } from './report/report';
import { newCriterion } from './workload/criterion';
import { makeProblem, mixed, nameOf } from './workload/workload';

const rounds = 15;
const workload = mixed(20_000, 1203);
const callsAtATime = 4;

const { logits, labels } = makeProblem(workload);
const criterion = newCriterion(workload.classes);
const target = new Float32Array(logits.length).fill(1);

function timeOfCopy(): number {
  return microsecondsOf(() => {
    target.set(logits);
  });
}

async function timeOfSubmitting(): Promise<number> {
  let call: Promise<unknown> | undefined;
  const taken = microsecondsOf(() => {
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
  return longest * 1000;
}

async function main(): Promise<void> {
  const times = await race([timeOfCopy, timeOfSubmitting], rounds, (time) => time());
  // Apart, since the garbage collector has much to give back after each of these.
  const turns = await race([longestTurn], rounds, (time) => time());
  const submission: Figure = {
    id: 'submission-over-copy',
    workload: nameOf(workload),
    description: 'making an asynchronous call over a copy into warm memory',
    value: ratioOf(times.get(timeOfSubmitting)!, times.get(timeOfCopy)!),
    unit: 'x',
    target: { bound: 'at most', value: 1.3 },
  };
  const turn: Figure = {
    id: 'longest-turn',
    workload: nameOf(workload),
    description: `longest turn of the event loop while ${callsAtATime} gradients come back`,
    value: spreadOf(turns.get(longestTurn)!),
    unit: 'us',
    target: { bound: 'at most', value: 10_000 },
  };
  console.log(JSON.stringify([submission, turn]));
}

void main();
