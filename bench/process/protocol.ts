/**
 * How the benchmark speaks with a contender's process: one JSON object in a line, a request on the
 * process's stdin and its answer on stdout. Lines on stdout that are not JSON objects are passed on
 * to stderr. Arrays travel in files, raw and little-endian; their names end in the type. A process
 * ends when its stdin does, and is killed when it is not needed any more.
 *
 * A request that fails is answered with `{ "error": "why" }`; the process may go on or end.
 */

/** Hyper-parameters of a problem and where its arrays are. */
export interface ProblemFiles {
  /** Holds logits.f32, labels.i32 and gamma.f64 (one for each class), of at least `rows` rows. */
  readonly folder: string;
  /** The first rows are to be solved. */
  readonly rows: number;
  readonly classes: number;
  readonly baseGamma: number;
  readonly alpha: number;
  readonly scaleFactor: number;
}

export type Request =
  /** Reads the problem and forgets the one before: `Prepared`. */
  | ({ readonly request: 'prepare' } & ProblemFiles)
  /** Solves it and writes loss.f64, gradient.f32, positive.f64 and negative.f64 there: `Done`. */
  | { readonly request: 'check'; readonly folder: string }
  /** Solves it so many times: `Sampled`. */
  | { readonly request: 'sample'; readonly calls: number }
  /** Solves it so many times and tells what memory that took at most: `Memory`. */
  | { readonly request: 'memory'; readonly calls: number };

export interface Prepared {
  /** Of the software that computes. */
  readonly version: string | null;
  /** False for what only sets a pace: it is not asked for a solution. */
  readonly solves: boolean;
}

export interface Sampled {
  /** Of all the calls together. */
  readonly milliseconds: number;
}

export interface Memory {
  /** Peak beyond what was resident when the problem had been read; null where it is unknown. */
  readonly bytes: number | null;
}

export interface Failed {
  readonly error: string;
}

/** Names of the files, for writers and readers alike. */
export const files = {
  logits: 'logits.f32',
  labels: 'labels.i32',
  gamma: 'gamma.f64',
  loss: 'loss.f64',
  gradient: 'gradient.f32',
  positive: 'positive.f64',
  negative: 'negative.f64',
} as const;

/** Those that a contender writes. */
export const solutionFiles = [files.loss, files.gradient, files.positive, files.negative] as const;
