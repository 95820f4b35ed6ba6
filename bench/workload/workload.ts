/** One problem that every contender solves. */
export interface Problem {
  readonly rows: number;
  readonly classes: number;
  /** rows x classes */
  readonly logits: Float32Array;
  /** One for each row: 0 is background, k is class k - 1, -1 is ignored. */
  readonly labels: Int32Array;
  /** Focusing factor of each class. */
  readonly gamma: Float64Array;
}

/** What a contender computes: all that a training step needs. */
export interface Solution {
  /** The sum over all elements. */
  readonly loss: number;
  readonly gradient: Float32Array;
  /** Sums of |gradient| over positives and negatives, one for each class. */
  readonly positive: Float64Array;
  readonly negative: Float64Array;
}

/** Hyper-parameters that all contenders use. */
export const baseGamma = 2;
export const alpha = 0.25;
export const scaleFactor = 8;

/**
 * How the logits of a head lie in the course of a training. The loss of most of them becomes smaller
 * and smaller, which must not change what a call takes.
 */
export const distributions = {
  undecided: { mean: -2, deviation: 2 },
  /** With the bias of a prior of .001, as the paper starts. */
  prior: { mean: -6.9, deviation: 1 },
  trained: { mean: -8, deviation: 2 },
  confident: { mean: -12, deviation: 3 },
} as const;

export type Distribution = keyof typeof distributions;

export const distributionNames = Object.keys(distributions) as Distribution[];

export interface Workload {
  readonly rows: number;
  readonly classes: number;
  /**
   * `mixed`: each class its own in 2 to 10, as an EFL in training has them; `two`: plain Focal Loss;
   * `long-tailed`: by the frequency of the class, most of them near 10.
   */
  readonly gamma: 'mixed' | 'two' | 'long-tailed';
  /** Evenly between -8.5 and -0.5 where it is absent. */
  readonly distribution?: Distribution | undefined;
}

/** Labels and gammas have a long tail where the logits have a distribution. */
export function distributed(
  distribution: Distribution,
  shape: Pick<Workload, 'rows' | 'classes'>,
): Workload {
  return { ...shape, gamma: 'long-tailed', distribution };
}

export function nameOf({ rows, classes, gamma, distribution }: Workload): string {
  const suffix = distribution ?? (gamma === 'two' ? 'gamma 2' : undefined);
  return `${rows} x ${classes}${suffix === undefined ? '' : `, ${suffix}`}`;
}

export function mixed(rows: number, classes: number): Workload {
  return { rows, classes, gamma: 'mixed' };
}

/** An LVIS image, a COCO image, a batch of LVIS images after sampling, and hardly anything. */
export const fullWorkloads: readonly Workload[] = [
  mixed(20_000, 1203),
  mixed(200_000, 80),
  mixed(44_600, 1203),
  mixed(100, 80), // what a call costs beside its work
  { rows: 20_000, classes: 1203, gamma: 'two' },
  { rows: 200_000, classes: 80, gamma: 'two' },
  // Not `undecided`, which is much like the others.
  ...(['prior', 'trained', 'confident'] as const).map((distribution) =>
    distributed(distribution, { rows: 5000, classes: 1203 }),
  ),
];

export const quickWorkloads: readonly Workload[] = [mixed(2000, 1203), mixed(100, 80)];

/** Logits as after some training: mostly well below 0. One row in fifty has a class. */
export function makeProblem({ rows, classes, gamma, distribution }: Workload): Problem {
  const random = generator(rows * 31 + classes);
  const draw = distribution === undefined ? () => random() * 8 - 8.5 : normal(distribution, random);
  const logits = new Float32Array(rows * classes);
  for (let i = 0; i < logits.length; i++) logits[i] = draw();
  // By Zipf's law, or all alike.
  const drawClass = (): number =>
    Math.floor(gamma === 'long-tailed' ? (classes + 1) ** random() : 1 + random() * classes);
  const labels = Int32Array.from({ length: rows }, () =>
    random() < 0.02 ? drawClass() : random() < 0.01 ? -1 : 0,
  );
  // One of each kind at the beginning, where contenders are checked.
  labels.set([0, classes, -1].slice(0, rows));
  const focusing = Float64Array.from({ length: classes }, (_, j) => {
    if (gamma === 'two') return baseGamma;
    if (gamma === 'mixed') return baseGamma + scaleFactor * random();
    return baseGamma + scaleFactor * (1 - Math.min(1, balancedShare * (classes / (j + 1))));
  });
  return { rows, classes, logits, labels, gamma: focusing };
}

/**
 * The most frequent classes of a long tail have as much gradient of positives as of negatives, g = 1;
 * beyond them g falls with the frequency, in proportion to 1 / rank.
 */
const balancedShare = 0.1;

/** By the method of Box and Muller. */
function normal(distribution: Distribution, random: () => number): () => number {
  const { mean, deviation } = distributions[distribution];
  return () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return mean + deviation * radius * Math.cos(2 * Math.PI * random());
  };
}

/** Some rows of a problem, over the same memory. */
export function rowsOf(problem: Problem, first: number, rows: number): Problem {
  const { classes, logits, labels, gamma } = problem;
  return {
    ...{ rows, classes, gamma },
    logits: logits.subarray(first * classes, (first + rows) * classes),
    labels: labels.subarray(first, first + rows),
  };
}

/** Marsaglia's xorshift: the same numbers on every machine. */
export function generator(seed: number): () => number {
  let state = (seed | 0) ^ 0x9e3779b9 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
