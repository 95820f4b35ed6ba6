/**
 * What a call costs beside its work; a program of its own, which prints its figures as JSON. With
 * one thread (`EFL_NUM_THREADS=1`), so that no helper has to be woken.
 */
import { FocalLoss } from '..';
import { microsecondsOf, race } from './measure/race';
import { spreadOf } from './measure/statistics';
import type { Figure } from './report/report';
import { newCriterion } from './workload/criterion';
import { alpha, baseGamma, makeProblem, mixed } from './workload/workload';

const classes = 80;
const rounds = 31;
const callsOfSample = 1000;
const awaitedCalls = 200;

interface Given {
  readonly logits: Float32Array;
  readonly labels: Int32Array;
  readonly grad: Float32Array;
}

/** A kind of synchronous call, and what is measured of it. */
interface Kind {
  readonly id: string;
  readonly description: string;
  readonly target: Figure['target'];
  /** The call, of a criterion of its own. */
  readonly make: (given: Given) => () => void;
}

const newFocalLoss = () => new FocalLoss({ numClasses: classes, gamma: baseGamma, alpha });

const kinds: readonly Kind[] = [
  {
    id: 'synchronous-call',
    description: 'synchronous call beyond its kernel',
    target: { bound: 'at most', value: 1 },
    make: ({ logits, labels, grad }) => {
      const criterion = newCriterion(classes);
      return () => criterion.forwardBackward(logits, labels, { grad });
    },
  },
  {
    id: 'synchronous-call-with-options',
    description: 'the same with four options',
    target: null,
    make: ({ logits, labels, grad }) => {
      const criterion = newCriterion(classes);
      const options = { grad, normalizer: 'positives', gradOutput: 2, lossScale: 1024 } as const;
      return () => criterion.forwardBackward(logits, labels, { ...options });
    },
  },
  {
    id: 'synchronous-call-without-statistics',
    description: 'the same of FocalLoss, which has no statistics',
    target: null,
    make: ({ logits, labels, grad }) => {
      const criterion = newFocalLoss();
      return () => criterion.forwardBackward(logits, labels, { grad });
    },
  },
  {
    id: 'synchronous-call-without-gradient',
    description: 'its loss alone, without options',
    target: null,
    make: ({ logits, labels }) => {
      const criterion = newFocalLoss();
      return () => criterion.forward(logits, labels);
    },
  },
];

function givenRows(rows: number): Given {
  const { logits, labels } = makeProblem(mixed(rows, classes));
  return { logits, labels, grad: new Float32Array(logits.length) };
}

/** Microseconds until an asynchronous call has been awaited, the median of many. */
async function timeAwaited(call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let made = 0; made < awaitedCalls; made++) {
    const start = performance.now();
    await call();
    times.push((performance.now() - start) * 1000);
  }
  return spreadOf(times).median;
}

async function main(): Promise<void> {
  const [one, hundred, fourHundred] = [givenRows(1), givenRows(100), givenRows(400)];
  const criterion = newCriterion(classes);
  const { logits, labels, grad } = hundred;
  const awaited = () => timeAwaited(() => criterion.forwardBackwardAsync(logits, labels, { grad }));
  const lanes = kinds.map(({ make }) =>
    [make(one), make(hundred), make(fourHundred)].map((call) => () => {
      return microsecondsOf(call, callsOfSample);
    }),
  );
  const times = await race([...lanes.flat(), awaited], rounds, (time) => time());
  const figures = kinds.map((kind, index): Figure => {
    const [small, middle, large] = lanes[index]!.map((lane) => times.get(lane)!);
    // What a further row costs follows from the two larger calls. The call with one row takes that
    // and whatever every call costs: checks, the change to native code and back, the state.
    const beyond = small!.map((time, round) => time - (large![round]! - middle![round]!) / 300);
    const { id, description, target } = kind;
    return {
      id,
      workload: `1 x ${classes}`,
      description,
      value: spreadOf(beyond),
      unit: 'us',
      target,
    };
  });
  const synchronous = times.get(lanes[0]![1]!)!;
  const asynchronous: Figure = {
    id: 'asynchronous-call',
    workload: `100 x ${classes}`,
    description: 'awaited asynchronous call beyond the synchronous one',
    value: spreadOf(times.get(awaited)!.map((time, round) => time - synchronous[round]!)),
    unit: 'us',
    target: { bound: 'at most', value: 40 },
  };
  console.log(JSON.stringify([...figures, asynchronous]));
}

void main();
