import type { Solution, Workload } from '../workload';

/** A way to compute loss, gradient and gradient statistics. One file each in this folder. */
export interface Contender {
  readonly name: string;
  /** Prepares a workload; what is returned solves it once, reusing its memory. */
  prepare(workload: Workload): () => Solution;
}

/** Hyper-parameters that all contenders use. */
export const baseGamma = 2;
export const alpha = 0.25;
export const scaleFactor = 8;
