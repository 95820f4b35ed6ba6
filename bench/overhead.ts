/**
 * What a call costs beside its work; a program of its own, which prints its figures as JSON. With
 * one thread (`EFL_NUM_THREADS=1`), so that no helper has to be woken.
 */
import { EqualizedFocalLoss, FocalLoss } from '..';
import type { Figure } from './report/report';
import { spreadOf } from './statistics';
import { alpha, baseGamma, makeProblem, scaleFactor } from './workload';

const classes = 80;
const rounds = 31;
const callsOfSample = 1000;
const awaitedCalls = 200;

interface Problem {
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
  readonly make: (problem: Problem) => () => void;
}

const equalized = { numClasses: classes, gamma: baseGamma, alpha, scaleFactor };
const focal = { numClasses: classes, gamma: baseGamma, alpha };

const kinds: readonly Kind[] = [
  {
    id: 'synchronous-call',
    description: 'synchronous call beyond its kernel',
    target: { bound: 'at most', value: 1 },
    make: ({ logits, labels, grad }) => {
      const criterion = new EqualizedFocalLoss(equalized);
      return () => criterion.forwardBackward(logits, labels, { grad });
    },
  },
  {
    id: 'synchronous-call-with-options',
    description: 'the same with four options',
    target: null,
    make: ({ logits, labels, grad }) => {
      const criterion = new EqualizedFocalLoss(equalized);
      const options = { grad, normalizer: 'positives', gradOutput: 2, lossScale: 1024 } as const;
      return () => criterion.forwardBackward(logits, labels, { ...options });
    },
  },
  {
    id: 'synchronous-call-without-statistics',
    description: 'the same of FocalLoss, which has no statistics',
    target: null,
    make: ({ logits, labels, grad }) => {
      const criterion = new FocalLoss(focal);
      return () => criterion.forwardBackward(logits, labels, { grad });
    },
  },
  {
    id: 'synchronous-call-without-gradient',
    description: 'its loss alone, without options',
    target: null,
    make: ({ logits, labels }) => {
      const criterion = new FocalLoss(focal);
      return () => criterion.forward(logits, labels);
    },
  },
];

function problemOf(rows: number): Problem {
  const { logits, labels } = makeProblem({ rows, classes, gamma: 'mixed' });
  return { logits, labels, grad: new Float32Array(logits.length) };
}

/** Microseconds of one call, as the mean of many. */
function time(call: () => void): number {
  const start = performance.now();
  for (let made = 0; made < callsOfSample; made++) call();
  return ((performance.now() - start) * 1000) / callsOfSample;
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
  const [one, hundred, fourHundred] = [problemOf(1), problemOf(100), problemOf(400)];
  const calls = kinds.map(({ make }) => [make(one), make(hundred), make(fourHundred)] as const);
  const synchronous = kinds.map((): number[] => []);
  const asynchronous: number[] = [];
  const criterion = new EqualizedFocalLoss(equalized);
  const { logits, labels, grad } = hundred;
  for (let round = -2; round < rounds; round++) {
    const middles: number[] = [];
    calls.forEach(([ofOne, ofHundred, ofFourHundred], kind) => {
      const [small, middle, large] = [time(ofOne), time(ofHundred), time(ofFourHundred)];
      middles.push(middle);
      // What a further row costs follows from the two larger calls. The call with one row takes that
      // and whatever every call costs: checks, the change to native code and back, the state.
      if (round >= 0) synchronous[kind]!.push(small - (large - middle) / 300);
    });
    const awaited = await timeAwaited(() =>
      criterion.forwardBackwardAsync(logits, labels, { grad }),
    );
    if (round >= 0) asynchronous.push(awaited - middles[0]!);
  }
  const figures = kinds.map((kind, index) => synchronousFigure(kind, synchronous[index]!));
  console.log(JSON.stringify([...figures, asynchronousFigure(asynchronous)]));
}

function synchronousFigure({ id, description, target }: Kind, times: readonly number[]): Figure {
  const workload = `1 x ${classes}`;
  return { id, workload, description, value: spreadOf(times), unit: 'us', target };
}

function asynchronousFigure(times: readonly number[]): Figure {
  return {
    id: 'asynchronous-call',
    workload: `100 x ${classes}`,
    description: 'awaited asynchronous call beyond the synchronous one',
    value: spreadOf(times),
    unit: 'us',
    target: { bound: 'at most', value: 40 },
  };
}

void main();
