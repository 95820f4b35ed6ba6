/** One problem that every contender solves. */
export interface Workload {
  readonly name: string;
  readonly rows: number;
  readonly classes: number;
  readonly logits: Float32Array;
  readonly labels: Int32Array;
  /** Focusing factor of each class, as an EFL in training has them. */
  readonly gamma: Float64Array;
}

/** What a contender computes: all that a training step needs. */
export interface Solution {
  readonly loss: number;
  readonly gradient: Float32Array;
  /** Sums of |gradient| over positives and negatives, one for each class. */
  readonly positive: Float64Array;
  readonly negative: Float64Array;
}

const shapes = {
  quick: [[500, 80] as const],
  full: [
    [100, 80] as const, // what a call costs beside its work
    [20_000, 80] as const,
    [2_000, 1203] as const, // a twentieth of an LVIS image
  ],
};

/** Logits as after some training: mostly well below 0. One row in fifty has a class. */
export function workloads(kind: keyof typeof shapes): Workload[] {
  return shapes[kind].map(([rows, classes]) => {
    const random = generator(rows * 31 + classes);
    return {
      name: `${rows} x ${classes}`,
      rows,
      classes,
      logits: Float32Array.from({ length: rows * classes }, () => random() * 8 - 8.5),
      labels: Int32Array.from({ length: rows }, () =>
        random() < 0.02 ? 1 + Math.floor(random() * classes) : random() < 0.01 ? -1 : 0,
      ),
      gamma: Float64Array.from({ length: classes }, () => 2 + 8 * random()),
    };
  });
}

/** Marsaglia's xorshift: the same numbers on every machine. */
function generator(seed: number): () => number {
  let state = (seed | 0) ^ 0x9e3779b9 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
